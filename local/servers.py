"""Starts the local AWS: moto for Systems Manager, ministack for all other services, and ``local/gateway.py`` before both.

All of them listen on free loopback ports.
"""

import contextlib
import json
import shutil
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local import environments
from local.gateway import STATE_PATH
from local.paths import ROOT, RUNS
from local.processes import Child, ProcessError, clean_environment, free_port

ACCOUNT = "123456789012"
# Another account, which owns a key.
OWNER = "111122223333"
REGION = "eu-west-1"
# The secret access key of every account's root user. ministack verifies presigned URLs with it.
SECRET = "test"
ATTEMPTS = 3
# The part of a wait of Step Functions that the local AWS waits.
WAIT_SCALE = 0.02
# The file, in the folder of the servers, with the findings that were imported into Security Hub.
FINDINGS = "security-hub-findings.jsonl"
# The services behind the gateway: boto3's name to the name in the SDKs' environment variables.
GATEWAY_SERVICES = {
    "ssm": "SSM", "kms": "KMS", "iam": "IAM", "sts": "STS", "ec2": "EC2", "config": "CONFIG_SERVICE", "organizations": "ORGANIZATIONS",
    "account": "ACCOUNT",
}


class LocalAws:
    """The running servers, and clients of them."""

    def __init__(self, folder: Path, children: list[Child], endpoint: str, moto: str, gateway: str) -> None:
        self.folder = folder
        self.children = children
        self.endpoint = endpoint
        self.gateway = gateway
        self._moto = moto
        self._clients: dict[tuple[str, str, str], Any] = {}
        # boto3 makes no two clients at once.
        self._lock = threading.Lock()

    def client(self, service: str, account: str = ACCOUNT, region: str = REGION) -> Any:
        """A client with the rights of an account's root user: its access key is the account id."""
        with self._lock:
            if (service, account, region) not in self._clients:
                self._clients[service, account, region] = boto3.client(
                    service,
                    region_name=region,
                    endpoint_url=self.gateway if service in GATEWAY_SERVICES else self.endpoint,
                    aws_access_key_id=account,
                    aws_secret_access_key=SECRET,
                    config=Config(
                        retries={"max_attempts": 2, "mode": "standard"}, read_timeout=300, proxies={},
                        s3={"addressing_style": "path"},
                    ),
                )
        return self._clients[service, account, region]

    def environment(self) -> dict[str, Any]:
        """The environment variables with which the aws CLI and the SDKs use these servers."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            **_gateway_endpoints(self.gateway),
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def update_state(self, **changes: Any) -> None:
        """Set fields of the gateway's ``State``. Other fields stay as they are."""
        _send("PUT", f"{self.gateway}{STATE_PATH}", json.dumps(changes).encode())

    def state(self) -> dict[str, Any]:
        """The gateway's ``State``."""
        with _DIRECT.open(f"{self.gateway}{STATE_PATH}", timeout=30) as answer:
            return json.load(answer)

    def reset(self) -> None:
        """Remove all resources from all servers."""
        _send("POST", f"{self.endpoint}/_ministack/reset")
        _send("POST", f"{self._moto}/moto-api/reset")
        _send("DELETE", f"{self.gateway}{STATE_PATH}")

    def stop(self) -> None:
        for child in self.children:
            child.stop()


@contextlib.contextmanager
def running(name: str, keep_folder: bool = False) -> Iterator[LocalAws]:
    """Start the local AWS, and end it whatever happens.

    If the run fails, the servers' logs stay in target/local.
    """
    environments.ensure(environments.SERVERS)
    RUNS.mkdir(parents=True, exist_ok=True)
    _remove_old_runs()
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=RUNS))
    aws = _start(folder)
    try:
        yield aws
    except Exception:
        keep_folder = True
        raise
    finally:
        aws.stop()
        if keep_folder:
            print(f"the servers' logs are in {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> LocalAws:
    # Another process can take a free port before the server binds it.
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _start_once(folder)
        except ProcessError:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _start_once(folder: Path) -> LocalAws:
    moto_port, ministack_port, gateway_port = free_port(), free_port(), free_port()
    endpoint, moto_endpoint, gateway_endpoint = (f"http://127.0.0.1:{port}" for port in (ministack_port, moto_port, gateway_port))
    with contextlib.ExitStack() as stack:
        moto = Child(
            "moto",
            [environments.program("moto", "moto_server"), "-H", "127.0.0.1", "-p", str(moto_port)],
            clean_environment(folder),
            folder / "moto.log",
        )
        stack.callback(moto.stop)
        ministack = Child(
            "ministack",
            [environments.program("ministack", "python"), "-P", ROOT / "local/step_functions.py"],
            clean_environment(
                folder,
                BIND_HOST="127.0.0.1", MINISTACK_HOST="127.0.0.1", GATEWAY_PORT=str(ministack_port),
                IOT_MTLS_ENABLED="0", SFTP_ENABLED="0",
                MINISTACK_ACCOUNT_ID=ACCOUNT, MINISTACK_REGION=REGION,
                # Enforce the permissions of the deployed role.
                AUTH="true",
                # Step Functions wait as long as in AWS otherwise, before they repeat a task.
                SFN_WAIT_SCALE=str(WAIT_SCALE),
                SECURITY_HUB_FINDINGS=str(folder / FINDINGS),
                # ministack passes these on to the function, so the template needs nothing for the local AWS.
                AWS_ENDPOINT_URL=endpoint, **_gateway_endpoints(gateway_endpoint),
            ),
            folder / "ministack.log",
            folder,
        )
        stack.callback(ministack.stop)
        gateway = Child(
            "gateway",
            [environments.program("client", "python"), "-m", "local.gateway", str(gateway_port), endpoint, moto_endpoint, REGION],
            clean_environment(folder, PYTHONDONTWRITEBYTECODE="1"),
            folder / "gateway.log",
            ROOT,
        )
        stack.callback(gateway.stop)
        moto.wait_until(lambda: _answers(f"{moto_endpoint}/moto-api/data.json"), "an answer")
        ministack.wait_until(lambda: _answers(f"{endpoint}/_ministack/health"), "an answer")
        gateway.wait_until(lambda: _answers(f"{gateway_endpoint}{STATE_PATH}"), "an answer")
        stack.pop_all()
        return LocalAws(folder, [gateway, ministack, moto], endpoint, moto_endpoint, gateway_endpoint)


def _gateway_endpoints(gateway: str) -> dict[str, str]:
    return {f"AWS_ENDPOINT_URL_{name}": gateway for name in GATEWAY_SERVICES.values()}


def _remove_old_runs() -> None:
    """Remove the folders of runs that are older than a day."""
    for folder in RUNS.iterdir():
        with contextlib.suppress(OSError):
            if folder.is_dir() and folder.stat().st_mtime < time.time() - 86_400:
                shutil.rmtree(folder)


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _answers(url: str) -> bool:
    try:
        with _DIRECT.open(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, urllib.error.URLError):
        return False


def _send(method: str, url: str, body: bytes | None = None) -> None:
    with _DIRECT.open(urllib.request.Request(url, data=body, method=method), timeout=30):
        pass
