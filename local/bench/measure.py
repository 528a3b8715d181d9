"""The runs. A run is one process of one program: its start, its first event, two warm events, its peak memory.

The programs take turns, so that other load of the machine meets all of them alike.
"""

import contextlib
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import seed
from local.bench.programs import Program
from local.bench.runtime_api import RuntimeApi
from local.bench.throttle import Throttle
from local.bench.tls import AUTHORITY, Taken, TlsGateway
from local.paths import EVENTS
from local.processes import clean_environment
from local.servers import LocalAws

START_SECONDS = 120
RECORD = f"/session-kms/{seed.DOCUMENT}"
# The job of the peers: without the checks of users and nodes.
JOB = {"Preflight": "Off", "DiscoverUsers": "false", "DiscoverNodes": "false"}


@dataclass(frozen=True)
class Setting:
    """How AWS and the machine are during a run."""

    milliseconds: int
    throttled: bool


@dataclass(frozen=True)
class Run:
    """Times in ms, memory in MB."""

    start: float
    first: float
    warm: float
    unchanged: float
    # What of the first and of the warm event is not time in which AWS works on a call.
    first_own: float
    warm_own: float
    # From the first event to the arrival of its first call at AWS, with the first TLS connection.
    reach: float
    # Calls of the first event, the answer included.
    calls: int
    memory: float


class Process:
    """A process of a program, with its own Runtime API."""

    def __init__(self, folder: Path, command: list[Any], settings: dict[str, Any], throttled: bool = False) -> None:
        self.api = RuntimeApi()
        environment = clean_environment(
            folder, AWS_LAMBDA_RUNTIME_API=self.api.address, AWS_LAMBDA_FUNCTION_NAME="bench", AWS_LAMBDA_FUNCTION_VERSION="$LATEST",
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE="256", LOG_LEVEL="ERROR",
        ) | settings
        self._log = folder / "program.log"
        self._throttle = Throttle() if throttled else None
        started = time.perf_counter()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=self._throttle.join if self._throttle else None,  # noqa: PLW1509  it only writes to an open file
            )
        if self._throttle:
            self._throttle.follow(self.process.pid)
        if not self.api.polled.wait(START_SECONDS):
            self.end()
            raise TimeoutError(f"{command[0]} did not poll for its first event:\n{self._log.read_text(errors='replace')}")
        self.start = (self.api.polled_at - started) * 1000

    def end(self) -> float:
        """End the process, and return its peak memory in MB."""
        with contextlib.suppress(FileNotFoundError):
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        self.process.kill()
        self.process.wait()
        if self._throttle:
            self._throttle.end()
        self.api.close()
        peak = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
        return int(peak.split()[1]) * 1024 / 1e6


@dataclass
class Bench:
    """The local AWS, a gateway for each latency, and the key that every run sets."""

    aws: LocalAws
    gateways: dict[int, TlsGateway]
    key: str

    def run(self, program: Program, setting: Setting) -> Run:
        """Run a program once, and check its answers and the document."""
        gateway = self.gateways[setting.milliseconds]
        authority = self.aws.folder / AUTHORITY
        environment = {
            "AWS_ENDPOINT_URL": gateway.endpoint, "AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true",
        } | program.settings | program.trust(authority)
        process = Process(self.aws.folder, program.command, environment, setting.throttled)
        ended = False
        try:
            first, first_taken = self._create(process, gateway)
            warm, warm_taken = self._create(process, gateway)
            unchanged, _ = self._update(process, gateway)
            memory, ended = process.end(), True
        finally:
            if not ended:
                process.end()
        return Run(
            process.start, _length(first), _length(warm), _length(unchanged), _own(first, first_taken), _own(warm, warm_taken),
            _reach(first, first_taken), len(first_taken.calls), memory,
        )

    def _create(self, process: Process, gateway: TlsGateway) -> tuple[tuple[float, float], Taken]:
        """A Create on a document that is there, and has no key."""
        ssm = self.aws.client("ssm")
        with contextlib.suppress(ssm.exceptions.InvalidDocument):
            ssm.delete_document(Name=seed.DOCUMENT)
        with contextlib.suppress(ssm.exceptions.ParameterNotFound):
            ssm.delete_parameter(Name=RECORD)
        seed.seed_document(self.aws)
        return self._ask(process, gateway, "create")

    def _update(self, process: Process, gateway: TlsGateway) -> tuple[tuple[float, float], Taken]:
        """An Update after which nothing differs."""
        return self._ask(process, gateway, "update")

    def _ask(self, process: Process, gateway: TlsGateway, request: str) -> tuple[tuple[float, float], Taken]:
        event = json.loads((EVENTS / f"custom-resource-{request}.json").read_text())
        event["ResponseURL"] = gateway.response_url(request)
        event["ResourceProperties"] |= JOB | {"KmsKeyId": self.key}
        gateway.take()
        _, started, ended = process.api.ask(event)
        taken = gateway.take()
        answer, = taken.answers
        if answer["Status"] != "SUCCESS":
            raise RuntimeError(f"a request of the benchmark failed: {answer['Reason']}")
        same = ("StackId", "RequestId", "LogicalResourceId")
        if any(answer[name] != event[name] for name in same) or answer["Data"]["KeyArn"] != self.key:
            raise RuntimeError(f"not the answer to the request: {answer}")
        found = seed.read_document(self.aws)
        wanted = seed.Document("2", "2", seed.PREFERENCES, json.dumps(seed.PREFERENCES))
        if found.key != self.key or (found.version, found.latest) != ("2", "2") or not found.keeps_settings_of(wanted):
            raise RuntimeError(f"the document is not as wanted: version {found.version}, latest {found.latest}, {found.content}")
        return (started, ended), taken


def seeded(aws: LocalAws, gateways: dict[int, TlsGateway]) -> Bench:
    """Make the keys of the account."""
    return Bench(aws, gateways, seed.seed_keys(aws).first)


def _length(span: tuple[float, float]) -> float:
    return (span[1] - span[0]) * 1000


def _reach(span: tuple[float, float], taken: Taken) -> float:
    return (min(started for _, started, _ in taken.calls) - span[0]) * 1000


def _own(span: tuple[float, float], taken: Taken) -> float:
    """The part of an event, in ms, in which no call was with AWS."""
    busy, until = 0.0, span[0]
    for _, started, ended in sorted(taken.calls, key=lambda call: call[1]):
        busy += max(0.0, ended - max(started, until))
        until = max(until, ended)
    return (span[1] - span[0] - busy) * 1000
