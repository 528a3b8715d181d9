"""A deployed stack of deploy/audit.yaml, and the runs of its state machine."""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.package import package
from local.paths import AUDIT_TEMPLATE, architecture
from local.servers import FINDINGS, LocalAws
from local.stacks import Stack

WAIT_SECONDS = 300


@dataclass
class Run:
    """An execution of the state machine."""

    aws: LocalAws
    arn: str

    def status(self) -> str:
        return self._describe()["status"]

    def wait(self) -> str:
        """Wait until the run has ended, and return its status."""
        wait_until(lambda: self.status() != "RUNNING", "the run is over")
        return self.status()

    def output(self) -> dict[str, Any]:
        """The output of a run that succeeded."""
        assert self.wait() == "SUCCEEDED", self.failure()
        return json.loads(self._describe()["output"])

    def failure(self) -> str:
        described = self._describe()
        return f"{described['status']}: {described.get('error')}: {described.get('cause')}"

    def stop(self) -> None:
        self._states().stop_execution(executionArn=self.arn)

    def redrive(self) -> None:
        self._states().redrive_execution(executionArn=self.arn)

    def map_run(self, label: str = "Audit") -> dict[str, Any]:
        """The Map Run of a state."""
        runs = self._states().list_map_runs(executionArn=self.arn)["mapRuns"]
        run, = [run["mapRunArn"] for run in runs if f"/{label}:" in run["mapRunArn"]]
        return self._states().describe_map_run(mapRunArn=run)

    def wait_for_results(self, count: int) -> None:
        """Wait until so many accounts and Regions have a result."""

        def are_there() -> bool:
            assert self.status() == "RUNNING", self.failure()
            has_started = bool(self._states().list_map_runs(executionArn=self.arn)["mapRuns"])
            return has_started and self.map_run()["itemCounts"]["succeeded"] >= count

        wait_until(are_there, f"{count} results are there")

    def history(self) -> list[dict[str, Any]]:
        pages = self._states().get_paginator("get_execution_history").paginate(executionArn=self.arn)
        return [event for page in pages for event in page["events"]]

    def _describe(self) -> dict[str, Any]:
        return self._states().describe_execution(executionArn=self.arn)

    def _states(self) -> Any:
        return self.aws.client("stepfunctions")


@dataclass
class Audit:
    """A deployed stack of the audit."""

    stack: Stack

    @property
    def aws(self) -> LocalAws:
        return self.stack.aws

    def start(self, **request: Any) -> Run:
        """Start a run. ``request`` replaces settings of the stack."""
        machine = self.stack.outputs()["StateMachineArn"]
        answer = self.aws.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(request))
        return Run(self.aws, answer["executionArn"])

    def read(self, address: str) -> bytes:
        """An object, by its address ``s3://bucket/key``."""
        bucket, _, key = address.removeprefix("s3://").partition("/")
        return self.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    def beside(self, report: str, name: str) -> bytes:
        """Another file of a report, of which the address of a file is given."""
        return self.read(f"{report.rpartition('/')[0]}/{name}")

    def keys(self, prefix: str) -> list[str]:
        """The keys in the bucket that begin with a text."""
        pages = self.aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.bucket(), Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def bucket(self) -> str:
        return self.stack.outputs()["BucketName"]

    def imported(self) -> list[dict[str, Any]]:
        """The findings that were imported into Security Hub, oldest first."""
        file = self.aws.folder / FINDINGS
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def deploy(aws: LocalAws, name: str, **parameters: str) -> Audit:
    """Deploy the shipped template."""
    stack = Stack(aws, name, package(aws, AUDIT_TEMPLATE), {"Architecture": architecture()} | parameters)
    status = stack.create()
    assert status == "CREATE_COMPLETE", stack.failures()
    return Audit(stack)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"after {WAIT_SECONDS} s it does not hold that {what}")
        time.sleep(0.05)


def kill_functions(aws: LocalAws) -> int:
    """Kill the processes of all functions, as a machine that fails does, and return how many they were."""
    groups = {child.pid for child in aws.children}
    killed = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_function = (folder / "exe").readlink().name.startswith("bootstrap") and os.getpgid(int(folder.name)) in groups
        except OSError:
            # The process has ended, or is another user's.
            continue
        if is_function:
            os.kill(int(folder.name), signal.SIGKILL)
            killed += 1
    return killed
