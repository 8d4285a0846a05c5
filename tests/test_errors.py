"""How a command ends: one line for whoever can mend it, a traceback for a bug."""

import os
import signal

import pytest

from mmdeepmot.engine.checkpoint import CheckpointError
from mmdeepmot.engine.config import ConfigError
from mmdeepmot.engine.optim import NonFiniteLossError
from mmdeepmot.errors import InputError, MissingPackageError, UserError, describe, run_command
from mmdeepmot.io.image import ImageError


def fail(error: BaseException):
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (InputError, ValueError),
        (ConfigError, ValueError),
        (ImageError, ValueError),
        (MissingPackageError, ImportError),
        (CheckpointError, RuntimeError),
        (NonFiniteLossError, FloatingPointError),
    ],
)
def test_errors_of_the_users_making_are_said_in_one_line(kind, plain, capsys):
    assert issubclass(kind, UserError) and issubclass(kind, plain)
    assert run_command(fail(kind("a.txt:3: expected this"))) == 1
    assert capsys.readouterr().err == "error: a.txt:3: expected this\n"


def test_errors_of_the_system_are_said_in_one_line(capsys):
    assert run_command(lambda: open("/no/such/file").close()) == 1
    assert "No such file or directory: '/no/such/file'" in capsys.readouterr().err


@pytest.mark.parametrize("error", [TypeError("a"), ValueError("b"), KeyError("c"), RuntimeError()])
def test_bugs_pass(error):
    with pytest.raises(type(error)):
        run_command(fail(error))


def test_status_is_what_the_command_returns():
    assert run_command(lambda: None) == 0
    assert run_command(lambda: 3) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_with_130(number, capsys):
    before = signal.getsignal(signal.SIGTERM)
    assert run_command(lambda: os.kill(os.getpid(), number)) == 130
    assert capsys.readouterr().err == "Interrupted.\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_traceback_of_a_worker_is_left_out():
    sent = (
        "Caught ImageError in DataLoader worker process 1.\n"
        "Original Traceback (most recent call last):\n"
        '  File "fetch.py", line 54, in fetch\n'
        "    raise ImageError(...)\n"
        "mmdeepmot.io.image.ImageError: a.jpg: image is truncated\n"
    )
    assert describe(ImageError(sent)) == "a.jpg: image is truncated"
    missing = "Original Traceback (x):\n  ...\nFileNotFoundError: [Errno 2] No such file: 'b'\n"
    assert describe(FileNotFoundError(missing)) == "[Errno 2] No such file: 'b'"
    assert describe(InputError("two\nlines")) == "two\nlines"


class Needy:
    def __init__(self, width):
        self.width = 1 + width


def test_an_argument_that_a_config_lacks_is_said_in_one_line(capsys):
    from mmdeepmot.registry import MODELS

    MODELS.register_module(module=Needy, force=True)
    assert run_command(lambda: MODELS.build({"type": "Needy"})) == 1
    assert "Needy.__init__() missing 1 required positional argument: 'width'" in (
        capsys.readouterr().err
    )
    with pytest.raises(TypeError, match="unsupported operand"):  # a bug inside keeps its traceback
        run_command(lambda: MODELS.build({"type": "Needy", "width": "wide"}))
