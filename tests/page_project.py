"""What stands in a folder where the commands of a page run, and what stands for what they name."""

import importlib.util
import json
import re
import shutil
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import tiny
import torch
from pages import arguments

from mmdeepmot.engine.config import load_config
from mmdeepmot.io.mot import read_mot_text, write_mot_text
from mmdeepmot.registry import MODELS

sys.path.insert(0, str(tiny.ROOT / "tests/converters"))  # original_sets.py

import original_sets
from originals import write_image

PARSED_ONLY = {
    "it installs, downloads, or says which folder and environment follow": (
        r"(make|pip|git|cd|\.|python3? -m venv)\b.*|\. .*"
    ),
    "several GPUs or machines: their processes are those of engine/test_scaling.py": (
        r"tools/(dist|slurm)_(train|test)\.sh .*"
    ),
    "it needs the papers' data sets: converters/test_joint_from_originals.py trains and tests this "
    "recipe on small ones": (
        r"python tools/(train|test)\.py configs/jde/(jde_darknet53_joint|table\d/).*"
    ),
    "it needs the papers' matrices or their authors' weights: models/test_published_*.py": (
        r"python tools/model_converters/.*|python tools/test\.py configs/jde/published/.*|"
        r"python tools/test\.py configs/dhn/\S+ .*test_dataloader\.dataset\..*"
    ),
    "it measures for minutes what its own test measures in small: tools/, models/": (
        r"python tools/benchmarks/(dataset_index|fairmot_head|jde_loss|matchers|packages)\.py\b.*|"
        r"python tools/benchmarks/train_table\.py (?!--help).*|"
        r"python tools/analysis/(assignment_sizes|loss_gradients|matcher_correlation)\.py .*|"
        r"python tools/dataset_converters/make_dhn_matrices\.py .*|"
        r"python tools/benchmarks/accuracy_speed\.py (?!.*--scene).*"
    ),
}
"""Commands that are given to the parsers of their tools and no further: why, and which."""

_NEEDED = {"embeddings.py": "sklearn", "export_onnx.py": "onnx", "onnxruntime": "onnxruntime"}
"""Optional packages of commands."""

for _word, _package in _NEEDED.items():
    if importlib.util.find_spec(_package) is None:
        PARSED_ONLY[f"{_package} is not installed here"] = rf"python tools/.*{re.escape(_word)}.*"

_ONE_SHOT = r"jde_r18_synthmot|jde_r18_pets|jde_darknet53|fairmot_r18_synthmot"
_NO_WORKERS = " ".join(
    f"{stage}_dataloader.num_workers=0 {stage}_dataloader.persistent_workers=False"
    for stage in ("train", "val", "test")
)
_STAND_INS = (
    (rf"configs/(jde|fairmot)/({_ONE_SHOT})\.py|\bCONFIG\b", "tiny.py"),
    (r"\b(CHECKPOINT|FILE)\b(?!\.)|work_dirs/demo/epoch_5\.pth", "weights.pth"),
    (r"\bINPUT\b|\bstreet\.mp4", "street/A"),
    (r"(--dets|--gt) DIR", r"\1 street"),
    (r"--results DIR", "--results results"),
    (r"--sequence NAME", "--sequence A"),
    (r" k=v", " train_cfg.max_epochs=1"),
    (r"--trials \d+", "--grid 1"),  # needs no optuna
    (r"max_epochs=12", "max_epochs=2"),
    (r"SynthMOT-test-001", "A"),
    (r"--count \S+", "--count 2"),
    (r"MOT17-04 MOT17-05 PETS09-S2L1 ETH-Bahnhof|'MOT17-0\*'", "A"),
    (r"'MOT17-1\*'", "B"),
    (r"(?s)(tools/train\.py my_.*)", rf"\1 --cfg-options train_cfg.max_epochs=1 {_NO_WORKERS}"),
    (r"(?s)(tools/test\.py my_.*)", rf"\1 --cfg-options {_NO_WORKERS}"),
    (rf"({_ONE_SHOT}|jde_darknet53_joint) --scene", "tiny.py=weights.pth --scene"),
    (r"(tools/track_dets\.py)", r"\1 --jobs 1"),
    (r"--objects 15 60", "--objects 4 --frames 9 --repeats 1 --data none"),
    (r"(=data/(MOT15|CVPR19)/train:)\S*", r"\1A"),
)
_PLACES = ("MOT17", "data/MOT15", "data/MOT17", "data/CVPR19", "data/synthmot/v1-small")
_ORIGINALS: dict[str, Callable[[Path], Path]] = {
    "caltech": original_sets.write_caltech,
    "citypersons": original_sets.write_citypersons,
    "crowdhuman": original_sets.write_crowdhuman,
    "cuhk_sysu": original_sets.write_cuhk_sysu,
    "eth": original_sets.write_eth,
    "prw": original_sets.write_prw,
}


def why_parsed_only(command: str) -> str | None:
    """Why a command is not run; None: it is."""
    reasons = (why for why, which in PARSED_ONLY.items() if re.fullmatch(which, command))
    return next(reasons, None)


def on_tiny(command: list[str]) -> list[str]:
    """The words of a command with what :func:`furnish` lays out."""
    text = "\n".join(arguments(command))
    for theirs, ours in _STAND_INS:
        text = re.sub(theirs.replace(" ", "\n").replace("'", ""), ours.replace(" ", "\n"), text)
    return text.split("\n")


def furnish(folder: Path, commands: list[list[str]]) -> None:
    """Adds to a tiny project what the commands of a page expect."""
    (folder / "configs").symlink_to(tiny.ROOT / "configs")
    tiny.write_detections(folder / "street", classes=True)
    for truth in folder.glob("street/*/gt/gt.txt"):
        rows = read_mot_text(truth, kind="gt")
        write_mot_text(folder / "results" / f"{truth.parents[1].name}.txt", rows)
    rows = np.loadtxt(folder / "street/A/det/det.txt", delimiter=",")
    looks = np.tile(np.eye(tiny.IDENTITIES), (len(rows) // tiny.IDENTITIES, 1))
    (folder / "embedded").mkdir()
    np.save(folder / "embedded/A.npy", np.column_stack((rows, looks)))
    for place in _PLACES:
        for split in ("train", "test"):
            shutil.copytree(folder / "street", folder / place / split)
    for split in ("train", "test"):  # few, for networks that are not tiny
        tiny.write_street(folder / "data/mine" / split, frames=2)
        tiny.write_detections(folder / "data/mine" / split, classes=True)
    for _, *words in commands:
        if words and "dataset_converters" in words[0]:
            _write_original(Path(words[0]).stem, folder / words[1])
        for config, weights in pairwise(words):
            if config.startswith("my_") and weights.endswith(".pth"):
                (folder / weights).parent.mkdir(parents=True)
                model = MODELS.build(load_config(folder / config).model)
                torch.save({"state_dict": model.state_dict()}, folder / weights)


def _write_original(name: str, folder: Path) -> None:
    """What a converter reads from ``folder``."""
    if name in _ORIGINALS:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _ORIGINALS[name](folder.parent).rename(folder)
    elif name == "coco":  # a video of two frames with one person, in folder images of ...
        names = ("walk/1.jpg", "walk/2.jpg")
        people = {"category_id": 1, "bbox": [4, 8, 8, 20], "track_id": 5}
        content = {
            "categories": [{"id": 1, "name": "person"}],
            "videos": [{"id": 1, "name": "walk"}],
            "images": [
                {"id": row, "file_name": one, "video_id": 1, "frame_id": row}
                for row, one in enumerate(names)
            ],
            "annotations": [{"image_id": row, **people} for row, _ in enumerate(names)],
        }
        (folder.parent / "train.json").write_text(json.dumps(content))
        for one in names:
            write_image(folder / one)
    elif name == "yolo":  # ... which may be one of YOLO's too
        (folder / "classes.txt").write_text("person\n")
        for image in folder.glob("images/*/*.jpg"):
            file = folder / "labels" / image.relative_to(folder / "images").with_suffix(".txt")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("0 0.5 0.5 0.25 0.5\n")
