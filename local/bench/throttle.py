"""A share of one CPU for a process, as Lambda gives it to a function with little memory: 1.4 ms in every 20 ms.

If this user may make control groups, the kernel does it by its quota for a group. Otherwise the process is stopped and
continued by signals: it then runs in 7 % of the time, also if it only waits, so a call costs it up to a period more.
"""

import contextlib
import os
import signal
import threading
from pathlib import Path

SHARE = 0.07
PERIOD_US = 20_000
QUOTA_US = int(PERIOD_US * SHARE)
_ROOT = Path("/sys/fs/cgroup")


class Throttle:
    """The share of one process. Pass ``join`` as its ``preexec_fn``, then call ``follow``, and ``end`` when it has ended."""

    def __init__(self) -> None:
        self._group = _make_group()
        self._joined = os.open(self._group / "cgroup.procs", os.O_WRONLY) if self._group else -1
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def method(self) -> str:
        """How the share is enforced on this machine."""
        quota = f"{QUOTA_US / 1000:.1f} ms in every {PERIOD_US // 1000} ms"
        return f"the quota of a control group, {quota}" if self._group else f"signals that stop and continue the process, {quota}"

    def join(self) -> None:
        """Move the calling process into the group. It runs in the child, before the program."""
        if self._joined >= 0:
            os.write(self._joined, b"0")

    def follow(self, pid: int) -> None:
        """Stop and continue the process if there is no group."""
        if self._group is None:
            self._thread = threading.Thread(target=self._duty_cycle, args=(pid,), daemon=True)
            self._thread.start()

    def end(self) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()
        if self._group:
            os.close(self._joined)
            with contextlib.suppress(OSError):
                self._group.rmdir()

    def _duty_cycle(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.kill(pid, signal.SIGSTOP)
                over = self._ended.wait((PERIOD_US - QUOTA_US) / 1e6)
                os.kill(pid, signal.SIGCONT)
                if over or self._ended.wait(QUOTA_US / 1e6):
                    return


def _make_group() -> Path | None:
    """A control group with the quota, or None if this user cannot make one."""
    name = f"session-kms-bench-{os.getpid()}"
    of_cpu = _ROOT / "cpu"
    group = (of_cpu if of_cpu.is_dir() else _ROOT) / name
    try:
        group.mkdir(exist_ok=True)
        if of_cpu.is_dir():
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(QUOTA_US))
        else:
            (group / "cpu.max").write_text(f"{QUOTA_US} {PERIOD_US}")
    except OSError:
        with contextlib.suppress(OSError):
            group.rmdir()
        return None
    return group
