"""Names of published DLA-34 checkpoints and ours: ImageNet, CenterNet, FairMOT.

- ``dla34-ba72cf86.pth`` (ImageNet): the backbone alone, ``level2.tree1.conv1.weight``, and a
  classifier ``fc``.
- CenterNet (``ctdet_coco_dla_2x.pth``) and FairMOT (``fairmot_dla34.pth``): ``base.`` the backbone,
  ``dla_up.`` and ``ida_up.`` the neck, ``hm``, ``wh``, ``reg`` and ``id`` the head (convolutions
  ``.0`` and ``.2``). The identity classifier and the loss weights are not in them.

Deformable convolutions hold offsets and mask in ``conv_offset_mask``, in newer files
``conv_offset``; the order of their channels is mmcv's. The bias of a convolution before a batch
normalisation moves into the running mean: ``norm(x + b)`` with mean ``m`` is ``norm(x)`` with mean
``m - b``.
"""

import re
from collections.abc import Mapping

from mmengine.logging import print_log
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import Tensor, nn

from mmdeepmot.models.utils.conversion import (
    Conversion,
    convert_state,
    keep_loaded,
    read_weights,
    require,
)

IMAGENET = "http://dl.yf.io/dla/models/imagenet/dla34-ba72cf86.pth"
EXPECTED = (
    "published DLA-34 checkpoint: expected keys such as 'base.level2.tree1.conv1.weight' "
    "(CenterNet, FairMOT) or 'level2.tree1.conv1.weight' (ImageNet)"
)
BRANCHES = {"hm": "heatmap", "reg": "offset", "wh": "size", "id": "embedding"}
"""Published names of the head's branches, and ours."""

_BACKBONE = re.compile(r"(?:base\.)?(base_layer|level[0-5])\.(.+)")
_NECK = re.compile(r"(dla_up\.ida_(\d+)|ida_up)\.(proj|up|node)_(\d+)\.(.+)")
_NORMALISED = re.compile(r"((?:dla_up\.ida_\d+|ida_up)\.(?:proj|node)_\d+)\.conv\.bias")
_HEAD = re.compile(rf"({'|'.join(BRANCHES)})\.([02])\.(weight|bias)")
_UNUSED = re.compile(r"(?:base\.)?(?:fc\.(?:weight|bias)|level[34]\.project\..+)")
_SIDES = {"tree1": "left", "tree2": "right"}
_NECK_PARTS = {"proj": "projections", "up": "ups", "node": "nodes"}


def is_unused(key: str) -> bool:
    """Whether the published network computes nothing with a key, or nothing that is needed.

    The classifier of ImageNet, and the projections at the head of the levels of depth 2, whose
    output is overwritten.
    """
    return _UNUSED.fullmatch(key) is not None


def belongs(key: str) -> bool:
    """Whether a key is one of a published DLA-34."""
    return _BACKBONE.fullmatch(key) is not None


def _backbone_name(part: str, rest: str) -> str | None:
    """Our name in the backbone; ``part`` is ``base_layer`` or ``levelN``."""
    tokens = rest.split(".")
    if part in ("base_layer", "level0", "level1"):  # convolution, normalisation, ReLU, …
        number, kind = divmod(int(tokens[0]), 3)
        where = "stem" if part == "base_layer" else f"levels.{part[-1]}.{number}"
        return f"{where}.{('conv', 'bn', '')[kind]}.{'.'.join(tokens[1:])}"
    path = [f"levels.{part[-1]}"]
    while tokens and tokens[0] in _SIDES:
        path.append(_SIDES[tokens.pop(0)])
    if tokens[0] == "project":  # pooling comes first in our shortcut
        path += ["left", "downsample", str(1 + int(tokens[1])), *tokens[2:]]
    else:
        path += tokens
    return ".".join(path)


def _neck_name(aggregation: str, number: str | None, part: str, index: int, rest: str) -> str:
    """Our name in the neck."""
    where = "last" if number is None else f"deep.{number}"
    rest = rest.replace("conv.conv_offset_mask.", "conv.conv_offset.").replace("actf.0.", "bn.")
    return f"{where}.{_NECK_PARTS[part]}.{index - 1}.{rest}"


def our_name(key: str) -> str | None:
    """Our name inside ``FairMOT`` for a published key; None if it has none."""
    if match := _BACKBONE.fullmatch(key):
        return f"backbone.{_backbone_name(match[1], match[2])}"
    if match := _NECK.fullmatch(key):
        return f"neck.{_neck_name(match[1], match[2], match[3], int(match[4]), match[5])}"
    if match := _HEAD.fullmatch(key):
        return f"bbox_head.{BRANCHES[match[1]]}.{match[2]}.{match[3]}"
    return None


def fold_biases(source: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same network without the biases before a batch normalisation."""
    folded = dict(source)
    for key in source:
        if match := _NORMALISED.fullmatch(key):
            mean = f"{match[1]}.actf.0.running_mean"
            if mean in source:
                folded[mean] = source[mean] - folded.pop(key)
    return folded


def convert_published_fairmot(
    source: Mapping[str, Tensor], target: Mapping[str, Tensor]
) -> Conversion:
    """Renames a published state dict.

    Args:
        source: The published state dict: ImageNet's, CenterNet's or FairMOT's.
        target: State dict of our :class:`~mmdeepmot.models.detectors.FairMOT` with DLA-34, whose
            shapes are expected. Its values are not used.

    Returns:
        What could be converted, and what could not.
    """
    source = {key.removeprefix("module."): value for key, value in source.items()}
    return convert_state(fold_biases(source), target, our_name, is_unused)


# In mmengine's own registry: BaseModule.init_weights looks there when no default scope is set.
@WEIGHT_INITIALIZERS.register_module()
class DLAPretrainedInit:
    """``init_cfg=dict(type='DLAPretrainedInit', checkpoint='…/dla34-ba72cf86.pth')`` of a ``DLA``.

    CenterNet's and FairMOT's checkpoints will do, too: their backbone is taken.

    Args:
        checkpoint: Path or address.
    """

    def __init__(self, checkpoint: str) -> None:
        self.checkpoint = checkpoint

    def __call__(self, module: nn.Module) -> None:
        """Loads the weights into ``module``.

        Raises:
            InputError: If it is no such checkpoint, shapes differ or weights are missing.
        """
        expected = f"{EXPECTED}, to be had from {IMAGENET}"
        source = read_weights(self.checkpoint, belongs, expected)
        target = {f"backbone.{key}": value for key, value in module.state_dict().items()}
        conversion = convert_published_fairmot(source, target)
        missing = [f"{key.removeprefix('backbone.')}: missing" for key in conversion.missing]
        require([*conversion.mismatched, *missing], self.checkpoint, type(module).__name__)
        state = {key.removeprefix("backbone."): value for key, value in conversion.state.items()}
        module.load_state_dict(state, strict=False)
        keep_loaded(module)
        left = conversion.unmatched + conversion.unused
        print_log(
            f"loaded {len(state)} tensors from {self.checkpoint}; left out: "
            f"{', '.join(left) or 'none'}",
            logger="current",
        )
