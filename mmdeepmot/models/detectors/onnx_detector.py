"""A detector that ``tools/export_onnx.py`` wrote, run by ONNX Runtime inside a tracker."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmdeepmot.errors import InputError, MissingPackageError
from mmdeepmot.models.heads.samples import boxes_to_original
from mmdeepmot.models.heads.task_settings import TaskSettings
from mmdeepmot.registry import MODELS

METADATA = "mmdeepmot"
"""Key of the file's metadata that holds what a user of the file must know, as JSON."""

FORMAT = 1
"""Version of that description."""

OUTPUTS = ("images", "bboxes", "scores", "labels", "embeddings")
"""Names of the outputs of every exported detector, N detections of all images together.

``images (N,)`` int64, image of the batch, rising; ``bboxes (N, 4)`` xyxy px of the input;
``scores (N,)``, falling in each image; ``labels (N,)`` int64; ``embeddings (N, D)`` L2-normalised.
"""


def open_session(path: str | Path) -> tuple[Any, dict[str, Any]]:
    """A session of ONNX Runtime, on a GPU where its package has one, and the file's description.

    Raises:
        FileNotFoundError: No such file.
        InputError: The file is no ONNX file, or not one of ours.
        MissingPackageError: ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingPackageError(
            "the backend onnxruntime needs its package: pip install onnxruntime (GPU: "
            "onnxruntime-gpu)"
        ) from error
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} does not exist; write it with python tools/export_onnx.py CONFIG CHECKPOINT"
        )
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
    providers = [one for one in wanted if one in onnxruntime.get_available_providers()]
    try:
        session = onnxruntime.InferenceSession(str(path), providers=providers)
    except Exception as error:  # its own exceptions have no common base
        raise InputError(f"{path}: not a readable ONNX file ({error})") from error
    text = session.get_modelmeta().custom_metadata_map.get(METADATA)
    about = json.loads(text) if text else {}
    if about.get("format") != FORMAT:
        raise InputError(
            f"{path}: expected a detector written by tools/export_onnx.py (description of format "
            f"{FORMAT}), got {about.get('format', 'no description')}: export it again"
        )
    return session, about


def describe_preprocessor(preprocessor: Any) -> dict[str, Any]:
    """How a ``MOTDataPreprocessor`` prepares images, as the description of a file says it."""
    return {
        "channels": "RGB" if preprocessor.bgr_to_rgb else "BGR",
        "mean": preprocessor.mean.flatten().tolist(),
        "std": preprocessor.std.flatten().tolist(),
    }


def _in_words(about: Mapping[str, Any]) -> str:
    return f"{about['channels']}, mean {about['mean']}, std {about['std']}"


def trained_parts(model: Mapping[str, Any]) -> list[str]:
    """Networks of a ``TrackingModel``'s config whose weights stand in the model's checkpoint.

    An exported detector and a ReID network of given ``weights`` bring theirs.
    """
    parts = {name: model[name] for name in ("detector", "follower", "reid") if model.get(name)}
    return [
        name
        for name, part in parts.items()
        if part["type"] != "OnnxDetector" and part.get("weights") is None
    ]


@MODELS.register_module()
class OnnxDetector(nn.Module):
    """Detections and embeddings of an exported detector; takes the place of ``JDE`` or ``FairMOT``.

    Args:
        file: Written by ``tools/export_onnx.py``.
    """

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file
        self.session, self.about = open_session(file)
        self.shape = TaskSettings(
            min_area=self.about["min_area"], max_aspect=self.about["max_aspect"]
        )

    def predict(
        self,
        batch_inputs: Tensor,
        batch_data_samples: list[DetDataSample],
        rescale: bool = True,
        task: str = "track",
    ) -> list[DetDataSample]:
        """Detections of images ``(B, 3, H, W)``, normalised; as of the exported detector.

        Raises:
            InputError: The images have another size, or the file was written for another task.
        """
        self._check(batch_inputs, task)
        arrays = self.session.run(list(OUTPUTS), {"inputs": batch_inputs.float().cpu().numpy()})
        image, *fields = (torch.from_numpy(array) for array in arrays)
        counts = torch.bincount(image, minlength=len(batch_inputs)).tolist()
        split = zip(*(field.split(counts) for field in fields), strict=True)
        for sample, (boxes, scores, labels, embeddings) in zip(
            batch_data_samples, split, strict=True
        ):
            boxes = boxes_to_original(boxes, sample) if rescale else boxes
            good = self.shape.admit(boxes)
            sample.pred_instances = InstanceData(
                bboxes=boxes[good],
                scores=scores[good],
                labels=labels[good],
                embeddings=embeddings[good],
            )
        return batch_data_samples

    def check_preprocessor(self, preprocessor: Any) -> None:
        """Make sure that images are prepared as the file wants them.

        Raises:
            InputError: Another order of the channels, mean or standard deviation.
        """
        given = describe_preprocessor(preprocessor)
        wanted = {key: self.about[key] for key in given}
        if given != wanted:
            raise InputError(
                f"{self.file} wants images of {_in_words(wanted)}, this model's data_preprocessor "
                f"gives {_in_words(given)}: use the config that it was exported with"
            )

    def _check(self, batch_inputs: Tensor, task: str) -> None:
        about = self.about
        height, width = batch_inputs.shape[-2:]
        if (width, height) != (about["width"], about["height"]):
            raise InputError(
                f"{self.file} takes images of {about['width']}x{about['height']} px, the test "
                f"pipeline gives {width}x{height}: export it with --size {width} {height}, or set "
                "the pipeline's size"
            )
        if task != about["task"]:
            raise InputError(
                f"{self.file} was written for the task '{about['task']}', asked for is '{task}': "
                f"export it with --task {task}"
            )
