"""Import hooks: serve ``mmcv._ext`` where it is not compiled, survive a broken torchvision.

Both are finders in ``sys.meta_path``, so that nothing is imported before it is asked for:

- :class:`StandInFinder` stands at the end, behind Python's own finders: a compiled ``mmcv._ext``
  is found first and used untouched.
- :class:`TorchvisionGuard` stands at the front. A torchvision built for another torch (the one on
  PyPI beside a CPU torch, for instance) raises ``RuntimeError`` when imported, while mmengine's
  Runner, which imports it to log its version, is only prepared for its absence. The guard turns
  any such failure into the ``ModuleNotFoundError`` of a torchvision that is not installed, and
  says so in the log.
"""

import importlib.util
import logging
import multiprocessing
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

EXTENSION = "mmcv._ext"

_logger = logging.getLogger("mmdeepmot")


class StandInLoader(Loader):
    """Fills ``mmcv._ext`` with :mod:`mmdeepmot.ops.extension`."""

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the module's creation to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Give ``module`` the operators, and an error for every other name."""
        from mmdeepmot.ops import extension

        for name in extension.__all__:
            setattr(module, name, getattr(extension, name))
        module.__dict__["__getattr__"] = extension.unsupported


class StandInFinder(MetaPathFinder):
    """Finds ``mmcv._ext`` after everybody else failed to."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for ``mmcv._ext`` and None for any other module."""
        if fullname != EXTENSION:
            return None
        return importlib.util.spec_from_loader(fullname, StandInLoader(), origin="mmdeepmot.ops")


class _GuardedLoader(Loader):
    """Runs another loader; a failure counts as the module's absence."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        try:
            self._loader.exec_module(module)
        except ModuleNotFoundError:
            raise
        except Exception as error:
            message = (
                f"torchvision ({module.__file__}) cannot be imported beside the installed torch: "
                f"{type(error).__name__}: {error}. It is treated as not installed; install the "
                "build that belongs to this torch, or uninstall it (pip uninstall torchvision)"
            )
            _warn_once(message)
            raise ModuleNotFoundError(message, name="torchvision") from error


class TorchvisionGuard(MetaPathFinder):
    """Turns a torchvision that fails to import into one that is not installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return torchvision's own spec with a guarded loader, None for any other module."""
        if fullname != "torchvision":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _GuardedLoader(spec.loader)
        return spec


_warned: set[str] = set()


def _warn_once(message: str) -> None:
    """Log a warning the first time it is given, and in the main process only."""
    if message not in _warned and multiprocessing.parent_process() is None:
        _logger.warning(message)
    _warned.add(message)


def install() -> None:
    """Put both finders into ``sys.meta_path``. Repeated calls change nothing."""
    if not any(isinstance(finder, StandInFinder) for finder in sys.meta_path):
        sys.meta_path.append(StandInFinder())
        sys.meta_path.insert(0, TorchvisionGuard())
