"""How the cost of a check grows with the account: ``python -m local.bench.scale``, in the client environment.

``benches/account.rs`` is an account of a given size, and the release build of the function checks a key on it, in a new
process for each run. Two dimensions are no matter of one check: the repair of all documents by their records, and the
status of several Regions by the command line.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.bench import results
from local.bench.measure import Process
from local.bench.programs import BUILT
from local.paths import BINARY, TARGET
from local.processes import clean_environment, end_on_signals

LATENCIES = (0, 20)
# The account from which each dimension starts.
BASE = {"nodes": 200, "roles": 10, "vpcs": 2, "users": 10, "sessions": 100, "policyBytes": 2_000}
LARGE = {"nodes": 20_000, "roles": 300, "vpcs": 50, "users": 50, "sessions": 5_000, "policyBytes": 32_000}
REGIONS = (
    "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "eu-south-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
    "ca-central-1", "sa-east-1", "ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-2",
)


@dataclass(frozen=True)
class Dimension:
    """What grows: its sizes, the account for a size, and what is measured on it."""

    name: str
    sizes: tuple[int, ...]
    account: Callable[[int], dict[str, int]]
    measure: Callable[["Account", int, Path], tuple[float, int, float]]
    bound: str


class Account:
    """The stub of AWS, with an account of one size at a time."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.endpoint = ""
        self.key = ""

    def build(self, size: dict[str, int], milliseconds: int) -> None:
        built = self._ask(size | {"milliseconds": milliseconds})
        self.endpoint, self.key = built["endpoint"], built["key"]

    def take(self) -> int:
        """The number of calls since the last time."""
        taken = self._ask({"take": True})
        if taken["violations"]:
            raise RuntimeError(f"calls that AWS would not accept: {taken['violations'][:3]}")
        return int(taken["calls"])

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": REGIONS[0], "AWS_EC2_METADATA_DISABLED": "true",
        }

    def end(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(30)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self._process.stdin or not self._process.stdout:
            raise RuntimeError("the account has no pipes")
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the account ended")
        return json.loads(answer)


@contextmanager
def function(account: Account, folder: Path, **settings: str) -> Iterator[Process]:
    """A process of the function on the account."""
    process = Process(folder, [BINARY], account.environment() | settings)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.end()


def check(account: Account, _size: int, folder: Path) -> tuple[float, int, float]:
    """Milliseconds, calls and peak memory in MB of a check of the key, as the first event of a process."""
    with function(account, folder) as process:
        report, started, ended = process.api.ask({"action": "check", "kmsKeyId": account.key, "preflight": "Strict"})
        if report["fails"]:
            raise RuntimeError(f"the check fails: {report['summary']}")
        return (ended - started) * 1000, account.take(), process.end()


def repair(account: Account, size: int, folder: Path) -> tuple[float, int, float]:
    """The same of a look at all documents, none of which differs from its record."""
    with function(account, folder, ADDITIONAL_DOCUMENTS="Sessions-*") as process:
        for number in range(size):
            call = {"action": "reconcile", "kmsKeyId": account.key, "documentName": f"Sessions-{number}", "createDocument": True, "preflight": "Off"}
            report, _, _ = process.api.ask(call)
            if report["fails"]:
                raise RuntimeError(f"no document: {report['summary']}")
        account.take()
        report, started, ended = process.api.ask({"action": "reconcile"})
        if len(report["documents"]) != size or report["alert"]:
            raise RuntimeError(f"not all documents as wanted: {report['summary']}")
        return (ended - started) * 1000, account.take(), process.end()


def status(account: Account, size: int, folder: Path) -> tuple[float, int, float]:
    """Milliseconds and calls of ``session-kms status`` for several Regions."""
    command = [str(TARGET / "release" / "session-kms"), "status"]
    for region in REGIONS[:size]:
        command += ["--region", region]
    started = time.perf_counter()
    ended = subprocess.run(
        command, env=clean_environment(folder) | account.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )
    took = time.perf_counter() - started
    # 1 says that a Region has no key, which is so here.
    if ended.returncode not in (0, 1):
        raise RuntimeError(f"no status: {ended.stderr}")
    return took * 1000, account.take(), 0.0


def _grown(name: str, **others: int) -> Callable[[int], dict[str, int]]:
    return lambda size: BASE | others | {name: size}


DIMENSIONS = (
    Dimension(
        "nodes", (100, 1_000, 5_000, 10_000, 20_000), _grown("nodes"), check,
        "Pages of 50 nodes, each known only when the one before has come: the service gives no larger pages and no other way to list them.",
    ),
    Dimension(
        "roles of nodes", (10, 50, 100, 200, 300), _grown("roles", nodes=1_000), check,
        "One look at the instance profile and one or two simulations for each distinct role, some at a time.",
    ),
    Dimension(
        "principals that start sessions", (10, 50, 100, 200, 350), lambda size: BASE | {"users": size, "sessions": 10 * size}, check,
        "One look at the role and one simulation for each distinct principal, some at a time, and pages of 200 sessions.",
    ),
    Dimension(
        "bytes of the key policy", (1_000, 4_000, 8_000, 16_000, 32_000), _grown("policyBytes", roles=50, users=50, sessions=500), check,
        "The policy is read and parsed once; its statements are indexed by principal. KMS limits it to 32 KB.",
    ),
    Dimension(
        "documents", (1, 5, 10, 25, 50), lambda _: BASE, repair,
        "Each document is read and compared with its record, four documents at a time. The keys and the fleet are read once for all.",
    ),
    Dimension(
        "Regions", (1, 2, 4, 8, 16), lambda _: BASE, status,
        "`session-kms status` asks eight Regions at a time. A function works in one Region, so functions do not add up.",
    ),
)


def main() -> int:
    end_on_signals()
    count = int(os.environ.get("RUNS") or results.SCALE_RUNS)
    full = count >= results.SCALE_RUNS
    folder = BUILT / "scale"
    folder.mkdir(parents=True, exist_ok=True)
    account = Account(_program())
    try:
        dimensions = []
        for dimension in DIMENSIONS:
            points = [_point(account, dimension, size, milliseconds, count, folder) for milliseconds in LATENCIES for size in dimension.sizes]
            dimensions.append({"name": dimension.name, "bound": dimension.bound, "points": points})
        large = Dimension("large", (20_000,), lambda _: LARGE, check, "")
        figures = {"runs": count, "machine": results.machine(), "dimensions": dimensions, "large": LARGE | _point(account, large, 20_000, 20, count, folder)}
    finally:
        account.end()
    target = results.folder(full)
    (target / results.SCALE).write_text(json.dumps(figures, indent=1) + "\n")
    results.page(target)
    return 0


def _point(account: Account, dimension: Dimension, size: int, milliseconds: int, count: int, folder: Path) -> dict[str, float]:
    runs = []
    for _ in range(count):
        account.build(dimension.account(size), milliseconds)
        runs.append(dimension.measure(account, size, folder))
    times, calls, memories = zip(*runs, strict=True)
    point = {
        "size": size, "milliseconds": milliseconds, "time": statistics.median(times), "calls": statistics.median(calls),
        "memory": statistics.median(memories),
    }
    figures = f"{point['calls']:>6,.0f} calls  {point['time']:>8,.0f} ms  {point['memory']:.1f} MB"
    print(f"  {dimension.name:<32}{size:>7,}  {milliseconds:>2} ms a call  {figures}", flush=True)
    return point


def _program() -> Path:
    """The account as ``cargo bench --no-run`` has built it, the newest if there are several.

    cargo is not asked: it would put another build of the function in the place of the one that is measured.
    """
    named = os.environ.get("SESSION_KMS_ACCOUNT")
    built = [Path(named)] if named else [path for path in (TARGET / "release" / "deps").glob("account-*") if not path.suffix]
    if not built:
        raise FileNotFoundError("there is no benchmark `account`: run `cargo bench --locked --no-run`")
    return max(built, key=lambda path: path.stat().st_mtime)


if __name__ == "__main__":
    sys.exit(main())
