"""Errors of the user's making, and how a command ends with one.

An error that somebody who runs a command can mend (a file, a config or an option that is not as
expected) is a :class:`UserError`: the command prints its message in one piece and exits with 1.
Anything else is a bug, here or in a component of the user's own, and keeps its traceback.
"""

import re
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType

INTERRUPTED = 130
"""Exit status after Ctrl-C or SIGTERM, as of shells."""


class UserError(Exception):
    """Bad input; the message says what was expected, what came, where, and what to do."""


class InputError(UserError, ValueError):
    """A file, a config's value or an option is not as expected."""


class MissingPackageError(UserError, ModuleNotFoundError):
    """An optional package is needed and not installed."""


def describe(error: BaseException) -> str:
    """The message of an error, without the traceback that a data loader's worker adds to it."""
    text = str(error)
    name = re.escape(type(error).__name__)
    sent = re.search(rf"Original Traceback .*\n(?:\w+\.)*{name}: (.*)", text, re.DOTALL)
    return (sent[1] if sent else text).strip()


def run_command(command: Callable[[], int | None]) -> int:
    """Run a command; its exit status.

    0, or what it returns; 1 after an error of the user's making or of the system's (``OSError``),
    with the message on stderr; 130 after Ctrl-C or SIGTERM, which ends like it. Other errors pass.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        return command() or 0
    except (UserError, OSError) as error:
        sys.stdout.flush()  # where both go to one pipe, the error stays the last line
        sys.stderr.write(f"error: {describe(error)}\n")
        return 1
    except TypeError as error:
        if not _is_call_of_builder(error):
            raise
        sys.stdout.flush()
        sys.stderr.write(f"error: the config does not fit a component: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, previous)


def _is_call_of_builder(error: TypeError) -> bool:
    """Whether mmengine's builder could not even call a component: an argument is missing."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].name == "build_from_cfg"
