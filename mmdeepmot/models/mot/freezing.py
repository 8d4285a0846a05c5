"""Which parts of a network learn: patterns of parameter names."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from mmdeepmot.errors import InputError
from mmdeepmot.models.utils.initial_weights import loads_weights

MAX_NAMED = 8


def freeze_except(module: nn.Module, patterns: Sequence[str], owner: str) -> None:
    """Leaves gradients to the parameters whose names match one of the patterns.

    Args:
        module: ``requires_grad`` of all its other parameters is taken away; what was frozen before
            stays frozen.
        patterns: As of shells: ``'bbox_head.*'``, ``'*.bias'``.
        owner: Whose key the patterns are, for messages.

    Raises:
        InputError: The patterns are no list, one matches no parameter (the message lists what there
            is), or all that they match was frozen before.
    """
    names = [name for name, _ in module.named_parameters()]
    if isinstance(patterns, str):
        raise InputError(f"{owner}: expected a list of patterns, got {patterns!r}: [{patterns!r}]")
    if not patterns:
        raise InputError(f"{owner}: no pattern, so that nothing would learn; ['*']: everything")
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise InputError(
                f"{owner}: {pattern!r} matches no parameter of {type(module).__name__}; "
                + _what_there_is(pattern, names)
            )
    for name, parameter in module.named_parameters():
        learns = any(fnmatchcase(name, pattern) for pattern in patterns)
        parameter.requires_grad_(learns and parameter.requires_grad)
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise InputError(
            f"{owner}: nothing would learn: {type(module).__name__} itself has frozen all that "
            f"{list(patterns)} match (frozen_stages, norm_cfg.requires_grad of its parts)"
        )


def _what_there_is(pattern: str, names: Sequence[str]) -> str:
    near = get_close_matches(pattern, names, n=3, cutoff=0.4)
    heads = sorted({_stem(name) for name in names})
    more = f", and {len(heads) - MAX_NAMED} more" if len(heads) > MAX_NAMED else ""
    listed = f"it has {', '.join(heads[:MAX_NAMED]) or 'none'}{more}"
    return f"{listed} (near: {', '.join(near)})" if near else listed


def _stem(name: str) -> str:
    """``'backbone.layer1.*'`` of ``'backbone.layer1.0.conv.weight'``; short names whole."""
    parts = name.split(".")
    return name if len(parts) <= 2 else ".".join([*parts[:2], "*"])


def frozen_parts(module: nn.Module) -> Iterator[nn.Module]:
    """The largest parts that have parameters, none of which learns."""
    parameters = list(module.parameters())
    if not parameters:
        return
    if not any(parameter.requires_grad for parameter in parameters):
        yield module
        return
    for child in module.children():
        yield from frozen_parts(child)


def random_share(module: nn.Module) -> float:
    """Share of the parameters, 0 to 1, that do not learn and have no weights from elsewhere.

    Those of parts whose ``init_cfg`` loads some do.
    """
    loading = [m for m in module.modules() if loads_weights(getattr(m, "init_cfg", None))]
    given = {id(p) for part in loading for p in part.parameters()}
    left = [p for p in module.parameters() if not p.requires_grad and id(p) not in given]
    return sum(p.numel() for p in left) / max(sum(p.numel() for p in module.parameters()), 1)


def keep_statistics(module: nn.Module) -> None:
    """Lets layers of batch and instance normalisation use and keep the statistics they have."""
    for part in module.modules():
        if isinstance(part, _NormBase):
            part.eval()
