"""How a command that builds ends."""

import shlex
import subprocess
import sys
from collections.abc import Callable

from local import environments


def exit_code(work: Callable[[], object], *expected: type[Exception]) -> int:
    """Do the work, and return 0; 1 after an error that is expected or that a program ended with, which is printed; 130 if interrupted."""
    errors: tuple[type[Exception], ...] = (*expected, environments.SetUpError, OSError)
    try:
        work()
    except errors as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"failed: {shlex.join(str(part) for part in error.cmd)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
