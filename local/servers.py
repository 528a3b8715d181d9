"""The local AWS: ministack for everything but Systems Manager, moto for that, and a front before both that adds
what they lack; all on free loopback ports."""

import contextlib
import json
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

from local import environments
from local.front import WORLD
from local.paths import ROOT, RUNS
from local.processes import Child, ProcessError, clean_environment, free_port

ACCOUNT = "123456789012"
# Another account of the same bank, which owns a key.
OWNER = "111122223333"
REGION = "eu-west-1"
# The secret of every account's root: presigned addresses are verified with it.
SECRET = "test"
ATTEMPTS = 3
# The services that are reached through the front, by the names that boto3 and the SDKs' variables have for them.
FRONTED = {"ssm": "SSM", "kms": "KMS", "iam": "IAM", "sts": "STS", "config": "CONFIG_SERVICE", "organizations": "ORGANIZATIONS"}


class LocalAws:
    """The servers, and clients of them."""

    def __init__(self, folder: Path, children: list[Child], endpoint: str, moto: str, front: str):
        self.folder = folder
        self.children = children
        self.endpoint = endpoint
        self.front = front
        self._moto = moto
        self._clients: dict = {}

    def client(self, service: str, account: str = ACCOUNT):
        """A client with the rights of an account's root: its number as access key."""
        if (service, account) not in self._clients:
            self._clients[service, account] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=self.front if service in FRONTED else self.endpoint,
                aws_access_key_id=account,
                aws_secret_access_key=SECRET,
                config=Config(
                    retries={"max_attempts": 2, "mode": "standard"}, read_timeout=300, proxies={},
                    s3={"addressing_style": "path"},
                ),
            )
        return self._clients[service, account]

    def environment(self) -> dict:
        """What the aws CLI and the SDKs need to talk to these servers."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            **_fronted(self.front),
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def tell(self, **world) -> None:
        """Tell the front of nodes, sessions, organizations and the age of keys. What is not named stays."""
        _send("PUT", f"{self.front}{WORLD}", json.dumps(world).encode())

    def world(self) -> dict:
        """What the front was told, and what AWS Config was."""
        with _DIRECT.open(f"{self.front}{WORLD}", timeout=30) as answer:
            return json.load(answer)

    def reset(self) -> None:
        """Forget everything in all servers."""
        _send("POST", f"{self.endpoint}/_ministack/reset")
        _send("POST", f"{self._moto}/moto-api/reset")
        _send("DELETE", f"{self.front}{WORLD}")

    def stop(self) -> None:
        for child in self.children:
            child.stop()


@contextlib.contextmanager
def running(name: str, keep_folder: bool = False):
    """Start the local AWS, hand it out, and end it whatever happens.

    The logs of a run that fails stay in target/local for reading.
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
    # A port found free can be taken by somebody else before the server binds it.
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _start_once(folder)
        except ProcessError:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _start_once(folder: Path) -> LocalAws:
    moto_port, ministack_port, front_port = free_port(), free_port(), free_port()
    endpoint, moto_endpoint, front_endpoint = (f"http://127.0.0.1:{port}" for port in (ministack_port, moto_port, front_port))
    with contextlib.ExitStack() as stack:
        moto = Child(
            "moto",
            [environments.program("moto", "moto_server"), "-H", "127.0.0.1", "-p", str(moto_port)],
            clean_environment(folder, MOTO_ACCOUNT_ID=ACCOUNT),
            folder / "moto.log",
        )
        stack.callback(moto.stop)
        ministack = Child(
            "ministack",
            [environments.program("ministack", "ministack")],
            clean_environment(
                folder,
                BIND_HOST="127.0.0.1", MINISTACK_HOST="127.0.0.1", GATEWAY_PORT=str(ministack_port),
                IOT_MTLS_ENABLED="0", SFTP_ENABLED="0",
                MINISTACK_ACCOUNT_ID=ACCOUNT, MINISTACK_REGION=REGION,
                # Enforces the deployed role's permissions.
                AUTH="true",
                # Handed on to the function: the template needs nothing for the local AWS.
                AWS_ENDPOINT_URL=endpoint, **_fronted(front_endpoint),
            ),
            folder / "ministack.log",
            folder,
        )
        stack.callback(ministack.stop)
        front = Child(
            "front",
            [environments.program("client", "python"), "-m", "local.front", str(front_port), endpoint, moto_endpoint, REGION],
            clean_environment(folder, PYTHONDONTWRITEBYTECODE="1"),
            folder / "front.log",
            ROOT,
        )
        stack.callback(front.stop)
        moto.wait_until(lambda: _answers(f"{moto_endpoint}/moto-api/data.json"), "an answer")
        ministack.wait_until(lambda: _answers(f"{endpoint}/_ministack/health"), "an answer")
        front.wait_until(lambda: _answers(f"{front_endpoint}{WORLD}"), "an answer")
        stack.pop_all()
        return LocalAws(folder, [front, ministack, moto], endpoint, moto_endpoint, front_endpoint)


def _fronted(front: str) -> dict[str, str]:
    return {f"AWS_ENDPOINT_URL_{name}": front for name in FRONTED.values()}


def _remove_old_runs() -> None:
    """Remove what runs of more than a day ago left behind."""
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
