"""A tiny MOT set and a tiny JDE, for tests of commands from end to end.

The images are noise with moving textured rectangles. The network is not trained: its batch
normalisation is calibrated on the images and half of its anchors fire, so that there is something
to associate in every frame.
"""

import importlib.util
import shlex
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import torch
from mmengine.logging import MessageHub, MMLogger

from mmdeepmot.engine.config import load_config
from mmdeepmot.io.mot import MOTRows, read_mot_text, write_mot_text
from mmdeepmot.registry import MODELS
from mmdeepmot.structures.boxes import tlwh_to_xyxy
from mmdeepmot.visualization.track_visualizer import TrackVisualizer

ROOT = Path(__file__).resolve().parents[1]
SIZE = (128, 96)
IDENTITIES = 3

CONFIG = """
_base_ = [
    "{configs}/_base_/models/jde_r18.py",
    "{configs}/_base_/datasets/mot_challenge.py",
    "{configs}/_base_/schedules/jde_30e.py",
    "{configs}/_base_/trackers/jde_code.py",
    "{configs}/_base_/default_runtime.py",
]
test_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(
    _delete_=True, type="MOTChallengeDataset", data_root="street",
    pipeline=[
        {{**step, "size": {size}}} if "size" in step else step for step in _base_.test_pipeline
    ],
    view="video", clip_length=4, test_mode=True,
))
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False,
    dataset=dict(
        _delete_=True, type="MOTChallengeDataset", data_root="street",
        pipeline=[
            {{**step, "size": {size}}} if "size" in step else step for step in _base_.train_pipeline
        ],
    ),
)
val_dataloader = val_cfg = val_evaluator = None
effective_batch_size = 4
train_cfg = dict(max_epochs=1)
model = dict(
    tracker=_base_.tracker,
    detector=dict(
        backbone=dict(base_channels=8),
        neck=dict(in_channels=[64, 32, 16], out_channels=[16, 12, 8]),
        bbox_head=dict(
            in_channels=[8, 12, 16], embed_dims=16, prior=0.5,
            anchors=[[[8, 24], [11, 32]], [[16, 48], [20, 60]], [[24, 72], [30, 90]]],
        ),
        test_cfg=dict(score_thr=0.5, min_area=0, nms_iou=0.2, embed_iou=0.3),
    ),
)
"""


def write_street(
    root: Path, names: tuple[str, ...] = ("A", "B"), frames: int = 6, size: tuple[int, int] = SIZE
) -> None:
    """MOTChallenge sequences ``root/NAME`` with three people each, who walk 3 px a frame."""
    for number, name in enumerate(names):
        rng = np.random.default_rng(number)
        folder = root / name
        (folder / "img1").mkdir(parents=True)
        ground = rng.integers(60, 130, (size[1], size[0], 3), dtype=np.uint8)
        looks = rng.integers(0, 255, (IDENTITIES, 48, 16, 3), dtype=np.uint8)
        rows = []
        for frame in range(frames):
            image = ground.copy()
            for person, look in enumerate(looks):
                left, top = 8 + 36 * person + 3 * frame, 10 + 12 * person
                image[top : top + 48, left : left + 16] = look
                rows.append((frame + 1, person + 1, left, top, 16, 48))
            cv2.imwrite(str(folder / "img1" / f"{frame + 1:06d}.png"), image)
        table = np.array(rows, dtype=float)
        write_mot_text(
            folder / "gt" / "gt.txt",
            MOTRows.from_arrays(
                table[:, 0],
                table[:, 1],
                tlwh_to_xyxy(table[:, 2:]),
                classes=np.ones(len(table)),
            ),
            kind="gt",
        )
        (folder / "seqinfo.ini").write_text(
            f"[Sequence]\nname={name}\nimDir=img1\nframeRate=10\nseqLength={frames}\n"
            f"imWidth={size[0]}\nimHeight={size[1]}\nimExt=.png\n"
        )


def write_detections(root: Path, classes: bool = False) -> None:
    """The boxes of each sequence in ``root`` as its public detections, ``det/det.txt``, and as if a
    detector had scored them, ``det/rescored.txt``.

    Args:
        root: Folder of sequences with ground truth.
        classes: Whether column 8 has theirs.
    """
    for truth in sorted(root.glob("*/gt/gt.txt")):
        rows = read_mot_text(truth, kind="gt")
        nobody = np.full(len(rows.frames), -1)
        scores = np.full(len(nobody), 0.9)
        found = MOTRows.from_arrays(rows.frames, nobody, rows.bboxes, scores, rows.classes)
        for name in ("det.txt", "rescored.txt"):
            write_mot_text(truth.parents[1] / "det" / name, found, with_classes=classes)


def write_config(path: Path) -> Path:
    """Config of the tiny JDE on the sequences in ``street`` of the working folder."""
    path.write_text(CONFIG.format(configs=ROOT / "configs", size=SIZE), encoding="utf-8")
    return path


def make_model(config: Path, images: torch.Tensor, num_ids: int = 2 * IDENTITIES):
    """The config's ``TrackingModel``, its weights fixed, calibrated on images ``(N, 3, H, W)``.

    ``images`` are uint8 BGR; the model is left in test mode.
    """
    cfg = load_config(config)
    cfg.model.detector.bbox_head.num_ids = num_ids
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.detector.init_weights()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
        elif isinstance(module, torch.nn.Conv2d) and module.bias is not None:
            torch.nn.init.normal_(module.weight, std=0.03)
    model.train()
    with torch.no_grad():
        batch = model.data_preprocessor({"inputs": list(images), "data_samples": None})
        model(batch["inputs"], mode="tensor")
    return model.eval()


def read_images(root: Path) -> torch.Tensor:
    """All frames under ``root``, ``(N, 3, H, W)`` uint8 BGR."""
    paths = sorted(root.glob("*/img1/*.png"))
    return torch.stack([torch.from_numpy(cv2.imread(str(p)).transpose(2, 0, 1)) for p in paths])


def make_project(folder: Path) -> Path:
    """``street/`` (sequences A and B), ``tiny.py`` (config) and ``weights.pth`` in a folder."""
    write_street(folder / "street")
    model = make_model(write_config(folder / "tiny.py"), read_images(folder / "street"))
    torch.save({"state_dict": model.state_dict()}, folder / "weights.pth")
    return folder


def call(tool: ModuleType, arguments: str) -> int:
    """Runs a command line in this process; its exit status."""
    _forget_loggers()
    try:
        return tool.main(shlex.split(arguments))
    except SystemExit as error:
        return int(error.code or 0)
    finally:
        _forget_loggers()


def _forget_loggers() -> None:
    """mmengine keeps loggers by the second in which a run started, and they keep their streams."""
    for kept in (MMLogger, MessageHub, TrackVisualizer):
        kept._instance_dict.clear()


def load_tool(name: str) -> ModuleType:
    """A script of the folder ``tools`` as a module: ``load_tool('test')``."""
    spec = importlib.util.spec_from_file_location(
        f"tool_{Path(name).stem}", ROOT / f"tools/{name}.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
