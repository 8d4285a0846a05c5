"""Sets up the Python environment in which mmdeepmot runs, and prints its interpreter's path.

An active environment (venv or conda) that holds a suitable torch is used; otherwise ``.venv`` in
the repository's root is made, with the versions that are tested. In both, torch is what it was
before: nothing that is installed afterwards may replace it. Once done, a run takes a tenth of a
second. A set-up that was interrupted is made anew by the next run.

A GPU user installs the torch that fits the GPU first, in an environment of their own::

    python3 -m venv .venv && . .venv/bin/activate
    pip install torch --index-url https://download.pytorch.org/whl/<cuXYZ>
    make demo

It needs nothing but the standard library, and starts on Python 3.8 too, to be able to look for a
newer one.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TORCH = "2.13.0"
MIN_TORCH = (2, 4)
MIN_PYTHON = (3, 10)
PINNED_FROM_PYTHON = (3, 11)
"""The tested versions of some dependencies do not exist for an older Python."""

_INSTALLED = """
import json, sys
from importlib.metadata import distributions
versions = {str(d.metadata["Name"]).lower().replace("_", "-"): d.version for d in distributions()}
print(json.dumps({"python": sys.version_info[:2], "versions": versions}))
"""


def main() -> None:
    """Set up and print the interpreter's path (progress goes to stderr)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--print", action="store_true", help="only print which interpreter is used; set up nothing"
    )
    options = parser.parse_args()
    environment = active_environment() or ROOT / ".venv"
    if not options.print:
        with _locked():
            set_up(environment)
    print(interpreter(environment))


def interpreter(environment: Path) -> Path:
    """The Python of an environment."""
    return environment / "bin" / "python"


def active_environment() -> Path | None:
    """The active venv or conda environment, if its Python and its torch are suitable."""
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        prefix = os.environ.get(variable)
        if not prefix or not interpreter(Path(prefix)).exists():
            continue
        if is_suitable(*installed(Path(prefix))):
            return Path(prefix)
        _say(f"the active environment {prefix} has no torch >= 2.4 for Python >= 3.10: .venv it is")
    return None


def is_suitable(python: tuple[int, ...], versions: dict[str, str]) -> bool:
    """Whether an environment's Python and torch are new enough."""
    torch = versions.get("torch")
    return torch is not None and python >= MIN_PYTHON and parse_version(torch) >= MIN_TORCH


def parse_version(version: str) -> tuple[int, ...]:
    """Major and minor number of a version such as ``2.13.0+cu130``."""
    return tuple(int(part) for part in version.split(".")[:2])


def installed(environment: Path) -> tuple[tuple[int, ...], dict[str, str]]:
    """An environment's Python version, and version by distribution name (lower case)."""
    output = _output(interpreter(environment), "-c", _INSTALLED)
    found = json.loads(output)
    return tuple(found["python"]), found["versions"]


def set_up(environment: Path) -> None:
    """Install mmdeepmot and what it needs into an environment, unless that is done already."""
    stamp = environment / ".mmdeepmot-ready"
    if stamp.exists() and stamp.read_text() == fingerprint():
        return
    unfinished = environment / ".mmdeepmot-unfinished"
    own = environment == ROOT / ".venv"
    if own and unfinished.exists():
        _say(f"removing {environment}, whose set-up was interrupted")
        shutil.rmtree(environment)
    if own and not environment.exists():
        python = suitable_python()
        _say(f"making {environment} with {python}")
        environment.mkdir()
        unfinished.touch()
        _run(python, "-m", "venv", environment)
    quick = ["--no-compile"] if own else []
    if "torch" not in installed(environment)[1]:
        _say(f"installing torch {TORCH}")
        _pip(environment, "install", *quick, f"torch=={TORCH}")
    _say("installing mmdeepmot and its dependencies (a minute)")
    constraints = environment / ".mmdeepmot-constraints.txt"
    constraints.write_text("\n".join(constrain(*installed(environment))) + "\n")
    _pip(environment, "install", "-q", *quick, "-c", constraints, "-e", f"{ROOT}[tests]")
    _mend_opencv(environment)
    if own:
        _compile(environment)
    unfinished.unlink(missing_ok=True)
    stamp.write_text(fingerprint())
    _say("done")


def fingerprint() -> str:
    """Changes with whatever decides what is installed."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in [Path(__file__), ROOT / "setup.py", *sorted((ROOT / "requirements").iterdir())]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def constrain(python: tuple[int, ...], versions: dict[str, str]) -> list[str]:
    """Constraints for pip: torch stays, and what is not there yet gets its tested version."""
    kept = [f"{name}=={versions[name]}" for name in ("torch", "torchvision") if name in versions]
    if python < PINNED_FROM_PYTHON:
        return kept
    tested = (ROOT / "requirements" / "tested.txt").read_text().splitlines()
    return kept + [
        line for line in tested if line and not line.startswith("#") and _name(line) not in versions
    ]


def suitable_python() -> str:
    """A Python >= 3.10 to make the environment with.

    Raises:
        SystemExit: If there is none, or it cannot make environments.
    """
    names = ["python3", *(f"python3.{minor}" for minor in (13, 12, 11, 10, 14))]
    # An environment's own interpreter goes with it when it is removed: the one behind it is taken.
    candidates = [os.path.realpath(sys.executable), *filter(None, map(shutil.which, names))]
    seen = []
    for candidate in dict.fromkeys(candidates):
        if ROOT / ".venv" in Path(candidate).parents:
            continue
        probe = "import sys, ensurepip, venv; print(*sys.version_info[:2])"
        result = subprocess.run([candidate, "-c", probe], capture_output=True, text=True)
        if result.returncode == 0 and tuple(map(int, result.stdout.split())) >= MIN_PYTHON:
            return candidate
        answer = (result.stdout or result.stderr).strip().splitlines()[-1:]
        seen.append(f"{candidate} ({' '.join(answer)})")
    sys.exit(
        "mmdeepmot: expected a Python >= 3.10 with venv and ensurepip on the PATH; found "
        f"{', '.join(seen)}. Install one (on Debian and Ubuntu: apt install python3 python3-venv)"
    )


def _compile(environment: Path) -> None:
    """Compile what is installed to bytecode, on all cores (pip uses one).

    Files that do not compile (examples for another Python) are none of ours.
    """
    python = str(interpreter(environment))
    words = [python, "-m", "compileall", "-j", "0", "-qq", str(environment / "lib")]
    subprocess.run(words, stdout=subprocess.DEVNULL)


def _mend_opencv(environment: Path) -> None:
    """Let the OpenCV without a window system win where the other one cannot be loaded.

    The dependencies ask for both; they are the same package to Python, and the one that is
    installed last is imported. The one with windows needs libGL, which servers lack.
    """
    if subprocess.run(
        [interpreter(environment), "-c", "import cv2"], stderr=subprocess.DEVNULL
    ).returncode:
        versions = installed(environment)[1]
        version = versions.get("opencv-python-headless", versions["opencv-python"])
        wanted = f"opencv-python-headless=={version}"
        _say(f"opencv-python cannot be loaded here: installing {wanted} over it")
        _pip(environment, "install", "--no-deps", "--force-reinstall", wanted)


def _pip(environment: Path, *arguments: object) -> None:
    """Run pip, shielded from settings that would show torch to mmcv's build.

    With torch in sight mmcv compiles all its operators, for ten minutes; without, it is installed
    as pure Python, in seconds, and ``mmdeepmot.ops`` stands in.
    """
    hidden = {"PYTHONPATH", "PYTHONHOME", "PIP_NO_BUILD_ISOLATION", "PIP_CONSTRAINT", "PIP_USER"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    pip = [interpreter(environment), "-m", "pip", "--disable-pip-version-check"]
    _run(*pip, *arguments, env=kept)


def _name(requirement: str) -> str:
    """Distribution name of ``name==version``, lower case, as :func:`installed` gives it."""
    return requirement.partition("==")[0].strip().lower().replace("_", "-")


def _run(*command: object, env: dict[str, str] | None = None) -> None:
    """Run a command with its output on stderr; end the set-up if it fails."""
    words = [str(word) for word in command]
    result = subprocess.run(words, stdout=sys.stderr, env=env, cwd=ROOT)
    if result.returncode:
        sys.exit(f"mmdeepmot: the set-up stopped: {' '.join(words)} ended with {result.returncode}")


def _output(*command: object) -> str:
    return subprocess.run(
        [str(word) for word in command], check=True, capture_output=True, text=True
    ).stdout


def _say(message: str) -> None:
    print(f"set-up: {message}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Let one set-up of this repository run at a time."""
    with (ROOT / ".setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
