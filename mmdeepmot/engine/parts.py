"""Parts of a model by name: what is sharded, recomputed or compiled on its own."""

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from torch import nn

from mmdeepmot.config_file import ConfigError

DEFAULT_PARTS = ("*backbone", "*neck")
"""What is large in every detector, and called like any module."""


def find_parts(model: nn.Module, names: str | Sequence[str] | None, key: str) -> list[nn.Module]:
    """The sub-modules that names or patterns (``detector.backbone``, ``*.layer?``) stand for.

    Args:
        model: The whole model.
        names: Names or patterns as of ``named_modules``; None: :data:`DEFAULT_PARTS`, of which
            any may be missing.
        key: The config's key, for messages.

    Returns:
        Each module once, in the order of ``named_modules``.

    Raises:
        ConfigError: If a name fits no module; names near ones.
    """
    known = dict(model.named_modules())
    wanted = [names] if isinstance(names, str) else list(DEFAULT_PARTS if names is None else names)
    for name in wanted if names is not None else ():
        if not any(fnmatchcase(one, name) for one in known):
            near = get_close_matches(name, known, n=3, cutoff=0.5) or [one for one in known if one]
            raise ConfigError(
                f"{key}: {type(model).__name__} has no module '{name}'; expected names or patterns "
                f"such as {', '.join(near[:5])}"
            )
    return [
        module for one, module in known.items() if any(fnmatchcase(one, name) for name in wanted)
    ]
