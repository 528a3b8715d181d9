"""The account that is asked."""

import json
import secrets
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws_check.answer import NotSettledError
from local.aws_check.cleanup import Cleanup
from local.aws_check.options import Options

PREFIX = "session-kms-aws-check"
# How long a role that has just been made may take until it can be assumed.
ROLE_SECONDS = 90
# How long before its time is over a question stops to wait.
MARGIN_SECONDS = 5

T = TypeVar("T")


class Account:
    """The account and Region that are asked, and what this run has made there."""

    def __init__(self, session: Any, options: Options) -> None:
        self.options = options
        self.cleanup = Cleanup()
        # Every resource of this run has a name that begins with it.
        self.id = f"{PREFIX}-{secrets.token_hex(4)}"
        self.external_id = secrets.token_hex(16)
        self._session = session
        self._clients: dict[str, Any] = {}
        self._memory: dict[str, Any] = {}
        self._assumed: set[str] = set()
        # The ids of the stacks of the run, by their names. A deleted stack can be found by its id only.
        self.stack_ids: dict[str, str] = {}
        identity = self.client("sts").get_caller_identity()
        self.number: str = identity["Account"]
        self.caller: str = identity["Arn"]
        self.region: str = session.region_name
        self.partition: str = self.caller.split(":")[1]
        # The outputs of the stack, or why there is none.
        self.outputs: dict[str, str] | str = "it was not made"
        # When the time of the present question is over; `None` outside of questions.
        self.deadline: float | None = None

    def client(self, service: str) -> Any:
        """A client with the credentials of the user."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=_config())
        return self._clients[service]

    def output(self, name: str) -> str:
        """An output of the stack."""
        if isinstance(self.outputs, str):
            raise NotSettledError(f"there is no stack for this question: {self.outputs}")
        return self.outputs[name]

    def as_role(self, role: str, service: str, *statements: dict[str, Any]) -> Any:
        """A client in a session of a role of the stack.

        ``role`` is the name of the output with its ARN. The statements, if there are any, are the session's policy: the
        session may do what both the role and they allow, and they count at once.
        """
        policy = {"Policy": policy_document(*statements)} if statements else {}
        given = self._assume(self.output(role), policy)["Credentials"]
        return boto3.client(
            service, region_name=self.region, aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"], aws_session_token=given["SessionToken"], config=_config(),
        )

    def _assume(self, arn: str, policy: dict[str, str]) -> Any:
        end = time.monotonic() + ROLE_SECONDS
        while True:
            try:
                answer = self.client("sts").assume_role(RoleArn=arn, RoleSessionName=self.id, ExternalId=self.external_id, **policy)
            except ClientError as error:
                if arn in self._assumed or error_code(error) != "AccessDenied" or time.monotonic() > end:
                    raise
                time.sleep(3)
            else:
                self._assumed.add(arn)
                return answer

    def once(self, name: str, make: Callable[[], T]) -> T:
        """The result of ``make``, which runs once for several questions. If it failed, it fails again."""
        if name not in self._memory:
            try:
                self._memory[name] = make()
            except (ClientError, NotSettledError) as error:
                self._memory[name] = error
        result: T = self._memory[name]
        if isinstance(result, Exception):
            raise result
        return result

    def wait_for(self, look: Callable[[], T | None], seconds: float, pause: float = 2) -> T | None:
        """What ``look`` returns when it returns something true, or ``None`` after so many seconds.

        It looks at least once, and ends a little before the time of the question is over, which can then say more.
        """
        end = time.monotonic() + seconds
        if self.deadline is not None:
            end = min(end, self.deadline - MARGIN_SECONDS)
        while True:
            found = look()
            if found or time.monotonic() >= end:
                return found or None
            time.sleep(pause)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and Region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.number}:{resource}"

    def command(self, command: str) -> str:
        """A command of the aws CLI in this Region."""
        return f"aws {command} --region {self.region}"


def _config() -> Config:
    return Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 4})


def policy_document(*statements: dict[str, Any]) -> str:
    """A policy as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str | list[str], **more: Any) -> dict[str, Any]:
    """A statement that allows something."""
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def error_code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def progress(text: str) -> None:
    """Say what goes on. Answers alone go to the standard output."""
    print(text, file=sys.stderr, flush=True)
