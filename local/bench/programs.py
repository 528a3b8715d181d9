"""The programs that are compared: the function, and its peers in ``benches/peers``."""

import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import environments
from local.package import archive
from local.paths import BINARY, ROOT, TARGET

PEERS = ROOT / "benches" / "peers"
BUILT = TARGET / "bench"
# Debian's name for the bundle of root certificates, and that of Fedora and Amazon Linux.
BUNDLES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt"))
END = "-----END CERTIFICATE-----"
# For AWS's hosts the function trusts the roots of Amazon Trust Services, which are in its binary. The local AWS has
# another authority, which comes with as many other roots. boto3 and Node.js read all the roots that they bring.
ROOTS_OF_FUNCTION = 5
# What pip leaves in every environment, and Lambda's own package of a function does not have.
NOT_PACKAGED = ("pip", "setuptools", "_distutils_hack", "pkg_resources", "distutils-precedence.pth", "__pycache__")


@dataclass(frozen=True)
class Program:
    """A program that speaks the Runtime API."""

    name: str
    command: list[Any]
    # Bytes of the zip that Lambda would get: code and dependencies.
    package: int
    # Further environment variables, given a certificate authority that the program must trust.
    trust: Callable[[Path], dict[str, str]]
    settings: dict[str, str] = field(default_factory=dict)


def all_programs() -> list[Program]:
    """Build the peers, and return the function and its peers."""
    return [function(), python(), node()]


def function() -> Program:
    """The release build of the function."""
    return Program("Rust", [BINARY], len(archive()), lambda authority: _bundle(authority, ROOTS_OF_FUNCTION))


def python() -> Program:
    """The peer on boto3 and crhelper, run by the Python of the project."""
    environments.ensure(("peers",))
    folder, libraries = BUILT / "python", environments.site_packages("peers")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(PEERS / "python", folder, ignore=shutil.ignore_patterns("__pycache__"))
    interpreter = environments.program("peers", "python")
    # As the libraries are. Otherwise each start compiles the handler.
    _run([interpreter, "-m", "compileall", "-q", folder], folder)
    files = {path.relative_to(libraries): path for path in sorted(libraries.rglob("*")) if path.is_file()}
    packed = {name: path for name, path in files.items() if _is_packaged(name)}
    packed[Path("handler.py")] = folder / "handler.py"
    # Without -S, Python looks through the files of the environment that Lambda does not have.
    command = [interpreter, "-S", folder / "runtime.py"]

    def trust(authority: Path) -> dict[str, str]:
        bundle = _bundle(authority, None)
        return bundle | {"AWS_CA_BUNDLE": bundle["SSL_CERT_FILE"]}

    return Program("Python", command, _zip(packed), trust, {"PYTHONPATH": str(libraries)})


def node() -> Program:
    """The peer on version 3 of the SDK, made one file by esbuild, as ``sam build`` and the CDK do."""
    folder = BUILT / "node"
    folder.mkdir(parents=True, exist_ok=True)
    for file in (PEERS / "node").iterdir():
        shutil.copy(file, folder)
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".installed"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
        shutil.copy(lock, installed)
    bundle = folder / "bundle.cjs"
    options = ("--bundle", "--minify", "--platform=node", "--target=node20", "--format=cjs", "--log-level=error", f"--outfile={bundle}")
    _run(["node", "node_modules/esbuild/bin/esbuild", *options, "runtime.mjs"], folder)
    # Node.js has roots of its own.
    return Program("Node.js", ["node", bundle], _zip({Path("index.js"): bundle}), lambda authority: {"NODE_EXTRA_CA_CERTS": str(authority)})


def versions() -> dict[str, str]:
    """The versions of what runs."""
    packages = json.loads((PEERS / "node" / "package.json").read_text())
    pinned = dict(line.split("==") for line in (ROOT / "requirements" / "peers.txt").read_text().splitlines() if "==" in line)
    return {
        "Rust": _output(["rustc", "--version"]),
        "Python": f"{_output([environments.program('peers', 'python'), '--version'])}, boto3 {pinned['boto3']}, crhelper {pinned['crhelper']}",
        "Node.js": ", ".join(
            [f"Node.js {_output(['node', '--version'])}"]
            + [f"{name} {version}" for name, version in (packages["dependencies"] | packages["devDependencies"]).items()]
        ),
    }


def _bundle(authority: Path, most: int | None) -> dict[str, str]:
    """The authority in one file with the roots of this machine, or with some of them."""
    bundle = authority.with_name(f"bundle-{most}.pem")
    if not bundle.exists():
        roots = next((path.read_text() for path in BUNDLES if path.exists()), "").split(END)[:-1][:most]
        bundle.write_text("".join(root + END for root in roots) + "\n" + authority.read_text())
    return {"SSL_CERT_FILE": str(bundle)}


def _is_packaged(path: Path) -> bool:
    return not any(part in NOT_PACKAGED or part.startswith(("pip-", "setuptools-")) for part in path.parts)


def _zip(files: dict[Path, Path]) -> int:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archived:
        for name, path in files.items():
            archived.write(path, name)
    return len(buffer.getvalue())


def _run(command: list[Any], folder: Path) -> None:
    subprocess.run([str(part) for part in command], cwd=folder, stdin=subprocess.DEVNULL, check=True, stdout=subprocess.DEVNULL)


def _output(command: list[Any]) -> str:
    return subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, check=True, capture_output=True, text=True).stdout.strip()
