"""Where a module's first weights come from, as its config says."""

from collections.abc import Sequence


def loads_weights(init_cfg: dict | Sequence[dict] | None) -> bool:
    """Whether an ``init_cfg`` of mmengine, one or several, loads weights (its type says so)."""
    entries = [init_cfg] if isinstance(init_cfg, dict) else init_cfg or []
    kinds = [entry["type"] for entry in entries]
    names = [kind if isinstance(kind, str) else kind.__name__ for kind in kinds]
    return any("Pretrained" in name for name in names)
