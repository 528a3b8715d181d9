"""Which version of its document a session reads. It needs a managed node and the Session Manager plugin."""

import json
import os
import pty
import select
import shutil
import subprocess
import time

from local.aws_check.account import Account
from local.aws_check.answer import Answer, NotSettledError, Question, as_assumed, different
from local.aws_check.questions.documents import ACTIONS, Document, content

PLUGIN = "session-manager-plugin"
MARK = "session-kms-version-"
SECONDS = 60


def session_version(account: Account) -> Answer:
    target = account.options.target
    if not target:
        raise NotSettledError("give a managed node on which a session may run, for example TARGET=i-0123456789abcdef0")
    plugin = shutil.which(PLUGIN)
    if not plugin:
        raise NotSettledError(
            f"there is no {PLUGIN}; install it, or start a session by hand with a document whose default version (1) and latest version (2) "
            "print different texts in inputs.shellProfile, and look which text it prints"
        )
    document = Document(account, _printing(1))
    document.is_duplicate(_printing(2))
    started = document.ssm.start_session(Target=target, DocumentName=document.name, Reason="make aws-check of session-kms")
    account.cleanup.add(
        f"session {started['SessionId']}", lambda: document.ssm.terminate_session(SessionId=started["SessionId"]),
        account.command(f"ssm terminate-session --session-id {started['SessionId']}"),
    )
    answer = {name: started[name] for name in ("SessionId", "TokenValue", "StreamUrl")}
    asked = {"Target": target, "DocumentName": document.name}
    command = [plugin, json.dumps(answer), account.region, "StartSession", "", json.dumps(asked), document.ssm.meta.endpoint_url]
    return read(run(command, SECONDS))


def run(command: list[str], seconds: float) -> str:
    """What a program prints on a terminal until it ends, or for so many seconds. The plugin needs a terminal."""
    terminal, of_program = pty.openpty()
    process = subprocess.Popen(command, stdin=of_program, stdout=of_program, stderr=of_program, start_new_session=True)
    os.close(of_program)
    output, end = b"", time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            if select.select([terminal], [], [], 1)[0]:
                part = os.read(terminal, 4096)
                output += part
                if not part:
                    break
    except OSError:
        # The program has ended.
        pass
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    return output.decode(errors="replace")


def _printing(version: int) -> str:
    command = f"echo {MARK}{version}; exit"
    return json.dumps(content(20, shellProfile={"linux": command, "windows": command}))


def read(output: str) -> Answer:
    """The answer, from the output of a session. The shell may also print the command itself."""
    versions = [version for version in (1, 2) if f"{MARK}{version}" in output]
    match versions:
        case [1]:
            return as_assumed("a session reads the default version of its document")
        case [2]:
            return as_assumed("a session reads the latest version of its document")
        case []:
            raise NotSettledError(f"the session printed neither text within {SECONDS} s")
        case _:
            return different("a session reads both versions")


QUESTIONS = (
    Question(
        "session-version", "a session reads the default or the latest version of its document, so both have the key", session_version,
        (*ACTIONS, "ssm:StartSession", "ssm:TerminateSession"), seconds=180,
    ),
)
