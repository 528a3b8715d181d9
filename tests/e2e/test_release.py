"""The files of a release: archives, checksums, bills of materials, notices, and what is said of them elsewhere.

No release is built here. The build for this machine, which the other tests run, stands in for both programs.
"""

import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest

from local import archives, crates, elf, environments, notices, release_files, reproducible, sbom
from local.package import archive
from local.paths import BINARY, ROOT, TARGET, TEMPLATE, architecture
from local.release import ReleaseError
from local.release_build import COMMAND_LINE, FUNCTION, PROGRAMS, TARGETS, Place, Program
from local.template import load

OWN = architecture()
VERSION = release_files.version()
SHARED = {"completions/session-kms.bash": b"complete", "man/man1/session-kms.1": b".TH", "schemas/report.schema.json": b"{}"}
COMMAND_LINE_ARCHIVE = f"session-kms-{VERSION}-{TARGETS[OWN]}.tar.gz"


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    environments.ensure(("cyclonedx", "sam"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A target folder with the build for this machine as both programs."""
    place = Place(target=tmp_path_factory.mktemp("target"))
    for program in PROGRAMS:
        place.binary(program, OWN).parent.mkdir(parents=True)
        shutil.copy(BINARY, place.binary(program, OWN))
    return place


@pytest.fixture(scope="module")
def release(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    return release_files.write([OWN], SHARED, place, folder / "files", folder / "deploy")


def test_a_release_has_every_file_and_its_checksum(release: Path) -> None:
    found = {str(path.relative_to(release)) for path in release.rglob("*") if path.is_file()}
    assert found == {
        "LICENSE", "SHA256SUMS", "THIRD_PARTY_NOTICES", "audit-role.yaml", "code-bucket.yaml", f"function-{OWN}.zip", f"function-{OWN}.zip.cdx.json",
        "key-events.yaml", "schemas/report.schema.json", COMMAND_LINE_ARCHIVE, f"{COMMAND_LINE_ARCHIVE}.cdx.json", "stackset.yaml", "template.json",
        "toolchain.txt",
    }
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    result = subprocess.run(check, cwd=release, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count(": OK") == len(found) - 1
    assert release.name == VERSION


def test_the_stacksets_take_the_same_code_and_template(release: Path) -> None:
    """Their names in target/deploy depend on their content."""
    deploy = release.parent.parent / "deploy"
    code, = deploy.glob(f"function-{OWN}-*.zip")
    template, = deploy.glob("template-*.json")
    assert code.read_bytes() == (release / f"function-{OWN}.zip").read_bytes() == archive(BINARY)
    assert template.read_bytes() == (release / "template.json").read_bytes()


def test_the_archive_of_the_command_line_can_be_unpacked_and_run(release: Path, tmp_path: Path) -> None:
    with tarfile.open(release / COMMAND_LINE_ARCHIVE) as file:
        assert {entry.uid for entry in file} == {0}
        file.extractall(tmp_path, filter="data")
    folder = tmp_path / COMMAND_LINE_ARCHIVE.removesuffix(".tar.gz")
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {*SHARED, "LICENSE", "THIRD_PARTY_NOTICES", "session-kms"}
    assert (folder / "session-kms").read_bytes() == BINARY.read_bytes()
    assert (folder / "session-kms").stat().st_mode & 0o777 == 0o755
    assert (folder / "LICENSE").stat().st_mode & 0o777 == 0o644


def test_the_same_files_give_the_same_archive() -> None:
    files = {"b": b"two", "a": b"one"}
    content = archives.tar("folder", files, frozenset({"a"}))
    assert content == archives.tar("folder", dict(reversed(files.items())), frozenset({"a"}))
    assert content != archives.tar("folder", files, frozenset())
    assert content[4:8] == bytes(4), "gzip would write the time here"
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as file:
        assert [(entry.name, entry.mode, entry.mtime) for entry in file] == [("folder/a", 0o755, archives.TIME), ("folder/b", 0o644, archives.TIME)]


def bill(release: Path, file: str) -> dict[str, Any]:
    return json.loads((release / f"{file}.cdx.json").read_text())


@pytest.mark.parametrize(("file", "program"), [(f"function-{OWN}.zip", FUNCTION), (COMMAND_LINE_ARCHIVE, COMMAND_LINE)], ids=["function", "command line"])
def test_a_bill_of_materials_names_what_is_linked(release: Path, file: str, program: Program) -> None:
    content = bill(release, file)
    described = content["metadata"]["component"]
    assert (described["name"], described["version"]) == (file, VERSION)
    assert described["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256((release / file).read_bytes()).hexdigest()}]
    locked = {
        (package["name"], package["version"]): package.get("checksum") for package in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    }
    of_crates = [component for component in content["components"] if component["bom-ref"].startswith("pkg:cargo/")]
    for component in of_crates:
        checksum = locked[component["name"], component["version"]]
        assert component.get("hashes", [{"content": None}])[0]["content"] == checksum
        assert component["licenses"], component["name"]
        assert ("purl" in component) == (checksum is not None)
    names = {component["name"] for component in of_crates}
    assert {"rustls", "aws-lc-sys", "kms-key-policy", "lambda_runtime"} <= names
    assert ("clap" in names) == (program == COMMAND_LINE)
    # These are no part of a program: one is for tests, one runs in the compiler, one in a build script.
    assert not {"proptest", "serde_derive", "cc"} & names
    nested, = [inner["name"] for component in of_crates for inner in component.get("components", [])]
    assert nested == "AWS-LC"
    references = {component["bom-ref"] for component in content["components"]} | {described["bom-ref"]}
    assert {item["ref"] for item in content["dependencies"]} <= references
    assert {other for item in content["dependencies"] for other in item["dependsOn"]} <= references
    root, = [item for item in content["dependencies"] if item["ref"] == described["bom-ref"]]
    assert any(other.startswith("pkg:cargo/aws-sdk-kms@") for other in root["dependsOn"])


def test_a_bill_that_breaks_the_schema_is_refused(release: Path, tmp_path: Path) -> None:
    changes: dict[str, dict[str, Any]] = {
        "version.cdx.json": {"specVersion": 1.6}, "serial.cdx.json": {"serialNumber": "7"}, "member.cdx.json": {"anything": True}, "right.cdx.json": {},
    }
    for name, change in changes.items():
        (tmp_path / name).write_text(json.dumps(bill(release, f"function-{OWN}.zip") | change))
    command = [str(environments.program("cyclonedx", "python")), "-m", "local.sbom", *(str(tmp_path / name) for name in changes)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert [f"{tmp_path / name}: " in result.stderr for name in changes] == [True, True, True, False]


def test_a_bill_is_the_same_for_the_same_file() -> None:
    one, other = (sbom.bill(sbom.Artefact("function.zip", digest * 64, VERSION, FUNCTION, OWN)) for digest in "ab")
    again = sbom.bill(sbom.Artefact("function.zip", "a" * 64, VERSION, FUNCTION, OWN))
    assert sbom.text(one) == sbom.text(again)
    assert one["serialNumber"] != other["serialNumber"]


def test_the_notices_are_those_of_the_present_dependencies() -> None:
    assert notices.NOTICES.read_text() == notices.notices(), "run `make notices`, read the changes and commit them"


def test_the_notices_name_every_crate_of_both_programs() -> None:
    text = notices.NOTICES.read_text()
    for program in PROGRAMS:
        for target in TARGETS.values():
            for crate in crates.linked(program, target).licences.keys() & crates.checksums().keys():
                assert re.search(rf"^  {re.escape(str(crate))}: ", text, re.MULTILINE), crate
                assert len(re.findall(rf"\b{re.escape(str(crate))}\b", text)) > 1, f"{crate} has no text"


def test_a_crate_without_the_text_of_its_licence_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "BY_HAND", tmp_path)
    for part in notices.PARTS:
        (tmp_path / part.file).write_text("text")
    with pytest.raises(notices.NoticeError, match=r"`base64-simd [\d.]+` is under MIT and has no text of it: add local/notices_by_hand/base64-simd.txt"):
        notices.notices()


def test_a_program_that_lambda_cannot_start_is_no_part_of_a_release() -> None:
    binary = BINARY.read_bytes()
    assert elf.check(binary, OWN) <= elf.GLIBC
    other, = set(TARGETS) - {OWN}
    with pytest.raises(elf.ElfError, match="the file is for machine"):
        elf.check(binary, other)
    with pytest.raises(elf.ElfError, match=r"needs glibc 2\.39, newer than 2\.34"):
        elf.check(binary + b"\0GLIBC_2.39\0", OWN)
    with pytest.raises(elf.ElfError, match="names no version of glibc"):
        elf.check(binary.replace(b"\0GLIBC_", b"\0GLIBX_"), OWN)
    with pytest.raises(elf.ElfError, match="not a 64-bit"):
        elf.check(b"#!/bin/sh\n", OWN)


def test_a_difference_of_two_builds_is_found_and_shown(tmp_path: Path) -> None:
    binary = BINARY.read_bytes()
    section = next(section for section in elf.sections(binary) if section.name == ".rodata")
    changed = bytearray(binary)
    changed[section.offset + 100] ^= 1
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(binary)
    other.write_bytes(binary)
    reproducible.compare(one, other)
    other.write_bytes(changed)
    with pytest.raises(reproducible.DifferenceError, match=rf"differ first at byte {section.offset + 100:,}, in \.rodata"):
        reproducible.compare(one, other)


def test_the_second_build_has_folders_of_its_own(tmp_path: Path) -> None:
    project, cargo = tmp_path / "project", tmp_path / "cargo"
    for name in ("src/target/lib.rs", ".cargo/config.toml", "Cargo.toml", "target/debug/built", ".git/HEAD", "deploy/cdk/node_modules/a.js"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(name)
    (cargo / "registry").mkdir(parents=True)
    place = reproducible.elsewhere(project, tmp_path / "other", cargo)
    assert sorted(str(path.relative_to(place.root)) for path in place.root.rglob("*") if path.is_file()) == [
        ".cargo/config.toml", "Cargo.toml", "src/target/lib.rs",
    ]
    assert (place.root / "Cargo.toml").stat().st_mtime_ns == (project / "Cargo.toml").stat().st_mtime_ns
    assert (place.cargo_home / "registry").resolve() == cargo / "registry"
    assert not {place.root, place.target, place.cargo_home} & {ROOT, TARGET, Place().cargo_home}
    flags = place.variables()["RUSTFLAGS"]
    for folder in (place.root, place.target, place.cargo_home):
        assert f"--remap-path-prefix={folder}=" in flags


def test_make_builds_both_architectures_unless_one_is_named() -> None:
    def called(*arguments: str) -> str:
        return subprocess.run(["make", "-n", "release", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    assert called().endswith("-m local.release_files")
    assert called("ARCHITECTURE=arm64").endswith("-m local.release_files arm64")
    assert called("CHECK=1", "ARCHITECTURE=x86_64").endswith("-m local.release_files x86_64 check")


def test_a_wrong_architecture_is_refused_before_anything_is_built(capsys: pytest.CaptureFixture[str]) -> None:
    assert release_files.main(["arm"]) == 2
    assert capsys.readouterr().err == "usage: make release [ARCHITECTURE=arm64|x86_64] [CHECK=1]\n"


def test_known_vulnerabilities_are_checked_if_there_is_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "cargo-deny"
    monkeypatch.setattr(environments, "program", lambda environment, name: program)
    database = tmp_path / "advisory-dbs"
    assert "not checked, because there is no advisory database" in release_files.advisories(database)
    (database / "advisory-db").mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/called\n")
    program.chmod(0o755)
    assert release_files.advisories(database) == "Vulnerable versions: checked by cargo-deny, none found"
    assert (tmp_path / "called").read_text() == "--locked check --disable-fetch advisories\n"
    program.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(subprocess.CalledProcessError):
        release_files.advisories(database)


def test_the_command_line_writes_its_completions_and_man_pages(tmp_path: Path) -> None:
    program = [str(TARGET / "debug" / "session-kms")]
    files = release_files.shared_files(program)
    assert {f"completions/{name}" for name in release_files.SHELLS.values()} < set(files)
    assert all(b"session-kms" in content for name, content in files.items() if name.startswith("completions/"))
    assert files["man/man1/session-kms.1"].startswith(b".")
    assert "schemas/report.schema.json" in files
    with pytest.raises(ReleaseError, match="the release would have no schemas"):
        release_files.shared_files(program, tmp_path)


def test_the_serverless_application_repository_gets_the_version_of_the_project() -> None:
    application = load(TEMPLATE.read_text())["Metadata"]["AWS::ServerlessRepo::Application"]
    assert application["SemanticVersion"] == VERSION
    assert application["SpdxLicenseId"] == tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["license"]
    assert re.fullmatch(r"[A-Za-z0-9-]{1,140}", application["Name"])
    assert re.fullmatch(r"[A-Za-z0-9](([A-Za-z0-9 -])*[A-Za-z0-9])?", application["Author"])
    assert len(application["Author"]) <= 127
    assert len(application["Description"]) <= 256
    assert len(application["Labels"]) <= 10
    assert all(re.fullmatch(r"[a-zA-Z0-9+\-_:/@]{1,127}", label) for label in application["Labels"])
