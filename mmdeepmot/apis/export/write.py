"""The ONNX file of a detector.

Written by torch's exporter that traces (``dynamo=False``), which every torch from 2.4 on has and
which needs no further package than ``onnx``.
"""

import io
import json
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from mmdeepmot.apis.export.network import exportable
from mmdeepmot.apis.export.suppression import register
from mmdeepmot.engine.atomic import atomic_write
from mmdeepmot.errors import InputError, MissingPackageError
from mmdeepmot.models.detectors.onnx_detector import (
    FORMAT,
    METADATA,
    OUTPUTS,
    describe_preprocessor,
)
from mmdeepmot.models.heads.task_settings import settings_for

OPSET = 17
OPSETS = (16, 20)


def import_optional(name: str) -> Any:
    """A package that only exported models need.

    Raises:
        MissingPackageError: If it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingPackageError(
            f"exported models need the package {name}: pip install onnx onnxruntime"
        ) from error


def input_size(cfg: Config) -> tuple[int, int]:
    """(width, height) px of the network's input, as the test pipeline makes it.

    Raises:
        InputError: If the pipeline does not say it.
    """
    found = _find_size(cfg.get("test_dataloader")) or _find_size(cfg.get("test_pipeline"))
    if found is None:
        raise InputError(
            f"{cfg.filename or 'the config'}: no step of the test pipeline has a `size`; give "
            "--size WIDTH HEIGHT"
        )
    return found


def _find_size(node: Any) -> tuple[int, int] | None:
    if isinstance(node, dict):
        pipeline = node.get("pipeline")
        if pipeline:
            return _find_size(pipeline)
        if "type" in node and "size" in node:
            return int(node["size"][0]), int(node["size"][1])
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        return next((found for one in node if (found := _find_size(one))), None)
    return None


def describe(model: Any, size: tuple[int, int], task: str) -> dict[str, Any]:
    """What a user of the file must know.

    Args:
        model: A ``TrackingModel``.
        size: (width, height) px of the input.
        task: Whose settings of decoding are in the file.
    """
    settings = settings_for(model.detector.bbox_head.settings, task)
    return {
        "format": FORMAT,
        "detector": type(model.detector).__name__,
        "task": task,
        "width": size[0],
        "height": size[1],
        **describe_preprocessor(model.data_preprocessor),
        "score_thr": settings.score_thr,
        "min_area": settings.min_area,
        "max_aspect": settings.max_aspect,
    }


def export_detector(
    model: Any,
    path: str | Path,
    size: tuple[int, int],
    task: str = "track",
    opset: int = OPSET,
) -> None:
    """Write the detector of a model: images ``(B, 3, H, W)``, normalised, to detections.

    These are :data:`~mmdeepmot.models.detectors.onnx_detector.OUTPUTS`.
    B is free, H and W are not. The description (:func:`describe`) goes into the file's metadata.

    Args:
        model: A ``TrackingModel`` with trained weights.
        path: File to write (at once: what was there stays until the new one is whole).
        size: (width, height) px of the input.
        task: ``'track'``, or ``'detection'`` for the settings of average precision.
        opset: Version of ONNX's operators, 16 to 20.

    Raises:
        InputError: The model has no detector that can be exported, the size does not fit it, or
            the opset is none of :data:`OPSETS`.
        MissingPackageError: ``onnx`` is not installed.
    """
    onnx = import_optional("onnx")
    if not OPSETS[0] <= opset <= OPSETS[1]:
        raise InputError(
            f"opset must be at least {OPSETS[0]} (GridSample) and at most {OPSETS[1]} (torch's "
            f"exporter that traces), got {opset}"
        )
    if min(size) < 1:
        raise InputError(f"size must be (width, height) px, got {tuple(size)}")
    network = exportable(getattr(model, "detector", None), task)  # type: ignore[arg-type]
    register(opset)
    content = io.BytesIO()
    example = torch.rand(2, 3, size[1], size[0])
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of constants: sizes are constants here
        torch.onnx.export(
            network,
            (example,),
            content,  # type: ignore[arg-type]
            input_names=["inputs"],
            output_names=list(OUTPUTS),
            dynamic_axes={"inputs": {0: "batch"}, **{name: {0: "found"} for name in OUTPUTS}},
            opset_version=opset,
            dynamo=False,
        )
    proto = onnx.load_from_string(content.getvalue())
    onnx.helper.set_model_props(proto, {METADATA: json.dumps(describe(model, size, task))})
    onnx.checker.check_model(proto)
    atomic_write(path, proto.SerializeToString())
