"""Choosing sequences by name or pattern."""

import fnmatch
from collections.abc import Collection, Sequence
from difflib import get_close_matches

from mmdeepmot.errors import InputError

_MOST_SHOWN = 20


def choose_names(found: Collection[str], patterns: Sequence[str] | None, where: str) -> list[str]:
    """Names that match one of the patterns (``MOT17-*-FRCNN``), each once, pattern after pattern.

    Args:
        found: The names that there are.
        patterns: None: all of them.
        where: For the message: the option or the folder.

    Raises:
        InputError: A pattern matches nothing, or ``patterns`` is a bare string.
    """
    if patterns is None:
        return list(found)
    if isinstance(patterns, str):
        raise InputError(
            f"{where}: sequences must be a list of names or patterns, got the str {patterns!r}"
        )
    chosen: dict[str, None] = {}
    for pattern in patterns:
        names = fnmatch.filter(found, pattern)
        if not names:
            near = get_close_matches(pattern, found, n=3, cutoff=0.4)
            raise InputError(
                f"{where}: no sequence is called {pattern!r}; "
                + (f"near: {near}" if near else f"there are {sorted(found)[:_MOST_SHOWN]}")
            )
        chosen.update(dict.fromkeys(names))
    return list(chosen)
