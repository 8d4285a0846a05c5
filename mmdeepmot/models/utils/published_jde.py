"""Names of the published JDE checkpoints (Towards-Realtime-MOT) and ours.

Their network is a list of numbered modules (``yolov3_*.cfg``): 0 to 74 the DarkNet-53, then for
strides 32, 16, 8 five convolutions of the neck (before them, but for the first scale, one 1x1
convolution, up-sampling and concatenation), one 3x3 convolution, the map of boxes and scores, the
embedding map and a ``yolo`` module that holds the task uncertainties. Routes and shortcuts are
modules without weights.
"""

import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from mmdeepmot.models.utils.conversion import Conversion, convert_state

RESIDUAL_BLOCKS = (1, 2, 8, 8, 4)
UNCERTAINTIES = ("s_c", "s_r", "s_id")
BALANCE = "bbox_head.balance.log_variance"
_JOINED = "module_list.*.yolo_*.s_*"
_UNCERTAINTY = re.compile(r"module_list\.(\d+)\.yolo_\d+\.(\w+)")


def _module_names(num_scales: int = 3) -> Iterator[tuple[int, str, bool]]:
    """(number, our name, whether it is normalised) of every convolution of the published list."""
    yield 0, "backbone.conv1", True
    number = 1
    for stage, blocks in enumerate(RESIDUAL_BLOCKS, start=1):
        yield number, f"backbone.conv_res_block{stage}.conv", True
        number += 1
        for block in range(blocks):
            name = f"backbone.conv_res_block{stage}.res{block}"
            yield number, f"{name}.conv1", True
            yield number + 1, f"{name}.conv2", True
            number += 3
    for order in range(num_scales):
        scale = num_scales - 1 - order
        if order:
            yield number + 1, f"neck.conv{order}", True
            number += 4
        for conv in range(5):
            yield number + conv, f"neck.detect{order + 1}.conv{conv + 1}", True
        yield number + 5, f"bbox_head.box_convs.{scale}.0", True
        yield number + 6, f"bbox_head.box_convs.{scale}.1", False
        yield number + 8, f"bbox_head.embed_convs.{scale}", False
        number += 11


def _yolo_scales(num_scales: int = 3) -> dict[int, int]:
    """Scale (0 the finest) by number of the published ``yolo`` module."""
    return {85 + 15 * order: num_scales - 1 - order for order in range(num_scales)}


def published_name_map() -> dict[str, str]:
    """Our name (inside ``JDE``) for each key of a published state dict, uncertainties left out."""
    names: dict[str, str] = {
        "classifier.weight": "bbox_head.loss_id.classifier.weight",
        "classifier.bias": "bbox_head.loss_id.classifier.bias",
    }
    for number, ours, normalised in _module_names():
        conv = f"module_list.{number}.conv_{number}"
        if not normalised:
            names |= {f"{conv}.weight": f"{ours}.weight", f"{conv}.bias": f"{ours}.bias"}
            continue
        names[f"{conv}.weight"] = f"{ours}.conv.weight"
        norm = f"module_list.{number}.batch_norm_{number}"
        for key in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            names[f"{norm}.{key}"] = f"{ours}.bn.{key}"
    return names


def convert_published_jde(source: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Conversion:
    """Renames a published state dict.

    Args:
        source: The published state dict (of the ``model`` entry of the checkpoint).
        target: State dict of our :class:`~mmdeepmot.models.detectors.JDE` with DarkNet-53, whose
            shapes are expected. Its values are not used.

    Returns:
        What could be converted, and what could not.
    """
    names = {**published_name_map(), _JOINED: BALANCE}
    source = dict(source)
    scales = _yolo_scales()
    places: dict[int, str] = {}
    for key in source:
        match = _UNCERTAINTY.fullmatch(key.removeprefix("module."))
        if match and int(match[1]) in scales and match[2] in UNCERTAINTIES:
            places[3 * scales[int(match[1])] + UNCERTAINTIES.index(match[2])] = key
    if BALANCE in target and len(places) == len(target[BALANCE]):
        parts = [source.pop(places[place]).detach().reshape(-1) for place in sorted(places)]
        source[_JOINED] = torch.cat(parts)
    return convert_state(source, target, names.get)
