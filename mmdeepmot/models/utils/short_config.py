"""Components in one word of a command line: ``Sinkhorn:temperature=0.05,slack=0.125``."""

import ast
from typing import Any

from mmdeepmot.errors import InputError


def short_config(text: str) -> dict[str, Any]:
    """``Name:key=value,key=value`` as a config; values as Python writes them, else texts.

    Raises:
        InputError: If the text has another form.

    >>> short_config("Sinkhorn:slack=0.5,iterations=20")
    {'type': 'Sinkhorn', 'slack': 0.5, 'iterations': 20}
    """
    name, _, rest = text.partition(":")
    config: dict[str, Any] = {"type": name}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if not (name and key and equals):
            raise InputError(f"expected Name:key=value,key=value, got {text!r}")
        try:
            config[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            config[key] = value
    return config
