"""Controls that keep SynthMOT honest: no cue alone solves it, the truth does.

The linkers get the **true** boxes; all that they can lose is identities.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mmdeepmot.datasets.synthmot.generate import generate
from mmdeepmot.datasets.synthmot.recipe import resolve_recipe
from mmdeepmot.evaluation.functional.sequence import GtRole, TrackingSequence
from mmdeepmot.evaluation.tracking import evaluate_tracking
from mmdeepmot.io.mot import MOTRows, read_mot_text
from mmdeepmot.structures.boxes import iou_matrix

BAR = 85.0
Ids = NDArray[np.int64]
Linker = Callable[[MOTRows, NDArray[np.float32]], Ids]  # boxes, their colour histograms


def link_by_overlap(rows: MOTRows, histograms: NDArray[np.float32]) -> Ids:
    """SORT-like: constant velocity, IoU >= 0.3, a track survives one frame without a box."""
    ids = np.zeros(len(rows), np.int64)
    tracks: list[tuple[int, NDArray, NDArray, int]] = []  # id, box, velocity, last frame
    count = 0
    for frame in np.unique(rows.frames).tolist():
        here = np.flatnonzero(rows.frames == frame)
        boxes = rows.bboxes[here]
        tracks = [track for track in tracks if frame - track[3] <= 2]
        expected = [box + velocity * (frame - last) for _, box, velocity, last in tracks]
        overlap = iou_matrix(np.array(expected).reshape(-1, 4), boxes)
        free = set(range(len(here)))
        for i, j in zip(*linear_sum_assignment(-overlap), strict=True):
            if overlap[i, j] >= 0.3:
                identity, box, _, last = tracks[i]
                tracks[i] = (identity, boxes[j], (boxes[j] - box) / (frame - last), frame)
                ids[here[j]] = identity
                free.remove(int(j))
        for j in sorted(free):
            count += 1
            tracks.append((count, boxes[j], np.zeros(4), frame))
            ids[here[j]] = count
    return ids


def colour_histograms(folder: Path, rows: MOTRows) -> NDArray[np.float32]:
    """``(N, 128)`` hue and saturation of each box's crop, centred and of unit length."""
    out = np.zeros((len(rows), 128), np.float32)
    for frame in np.unique(rows.frames).tolist():
        image = cv2.cvtColor(
            cv2.imread(str(folder / "img1" / f"{frame:06d}.jpg")), cv2.COLOR_BGR2HSV
        )
        height, width = image.shape[:2]
        for row in np.flatnonzero(rows.frames == frame):
            box = np.clip(np.round(rows.bboxes[row]).astype(int), 0, [width, height] * 2)
            crop = np.ascontiguousarray(image[box[1] : box[3], box[0] : box[2]])
            if crop.size:
                counts = cv2.calcHist([crop], [0, 1], None, [16, 8], [0, 180, 0, 256])
                out[row] = counts.ravel()
    out -= out.mean(axis=1, keepdims=True)
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)


def link_by_colour(max_age: int, least: float) -> Linker:
    """Assignment on the correlation with each track's last histogram; places are not looked at."""

    def link(rows: MOTRows, histograms: NDArray[np.float32]) -> Ids:
        ids = np.zeros(len(rows), np.int64)
        tracks: list[tuple[int, NDArray, int]] = []  # id, histogram, last frame
        count = 0
        for frame in np.unique(rows.frames).tolist():
            here = np.flatnonzero(rows.frames == frame)
            tracks = [track for track in tracks if frame - track[2] <= max_age]
            known = np.array([track[1] for track in tracks]).reshape(-1, histograms.shape[1])
            likeness = known @ histograms[here].T
            free = set(range(len(here)))
            for i, j in zip(*linear_sum_assignment(-likeness), strict=True):
                if likeness[i, j] >= least:
                    tracks[i] = (tracks[i][0], histograms[here[j]], frame)
                    ids[here[j]] = tracks[i][0]
                    free.remove(int(j))
            for j in sorted(free):
                count += 1
                tracks.append((count, histograms[here[j]], frame))
                ids[here[j]] = count
        return ids

    return link


def oracle(rows: MOTRows, histograms: NDArray[np.float32]) -> Ids:
    """The true identities, under other numbers."""
    return 1000 - rows.ids


LINKERS: dict[str, Linker] = {
    "overlap": link_by_overlap,
    **{
        f"colour, age {age}, from {least}": link_by_colour(age, least)
        for age in (1, 30, 10**6)
        for least in (0.3, 0.5, 0.7)
    },
    "oracle": oracle,
}


def identity_f1(folders: list[Path]) -> dict[str, float]:
    """IDF1 of each linker over all sequences."""
    rows = [read_mot_text(path / "gt" / "gt.txt", "gt", strict=True) for path in folders]
    truth = [one[one.scores > 0] for one in rows]  # without distractors
    colours = [colour_histograms(*pair) for pair in zip(folders, truth, strict=True)]
    scores = {}
    for name, link in LINKERS.items():
        sequences = [
            TrackingSequence(
                folder.name,
                rows.frames,
                rows.ids,
                rows.bboxes,
                np.full(len(rows), int(GtRole.COUNTED)),
                rows.frames,
                link(rows, histograms),
                rows.bboxes,
            )
            for folder, rows, histograms in zip(folders, truth, colours, strict=True)
        ]
        scores[name] = evaluate_tracking(sequences, metrics=("CLEAR", "Identity")).overall["IDF1"]
    return scores


def check(scores: dict[str, float]) -> None:
    print({name: round(score, 1) for name, score in scores.items()})
    assert scores.pop("oracle") == 100.0
    assert len(scores) == 10
    for name, score in scores.items():
        assert score < BAR, f"linking by {name} alone gives IDF1 {score:.1f}: the data is too easy"


def test_no_single_cue_solves_the_small_test_split(tmp_path: Path) -> None:
    # The test sequences do not depend on the number of training sequences.
    recipe = resolve_recipe({"preset": "small", "train_sequences": 0})
    folder = generate(recipe, tmp_path / "small", progress=False)
    check(identity_f1(sorted((folder / "test").iterdir())))


@pytest.mark.slow
def test_no_single_cue_solves_the_whole_default_set(tmp_path: Path) -> None:
    # Not the small training split: in its 20 frames little can be lost, however hard the street.
    folder = generate(resolve_recipe("default"), tmp_path / "default", progress=False)
    for split in ("train", "test"):
        check(identity_f1(sorted((folder / split).iterdir())))
