"""Small MOTChallenge folders of people who walk straight on, without images or networks."""

from pathlib import Path

import numpy as np

from mmdeepmot.io.mot import MOTRows, write_mot_text

SIZE = (640, 360)


def walk(people: int = 4, frames: int = 20, seed: int = 0, missed: float = 0.1) -> MOTRows:
    """Ground truth as rows in the order of frames; ``scores`` are those of a detector, NaN where
    it missed the person."""
    rng = np.random.default_rng(seed)
    size = np.stack([rng.uniform(20, 40, people), rng.uniform(60, 100, people)], axis=1)
    place = rng.uniform((0, 0), (500, 250), (people, 2))
    speed = rng.normal(0, 2, (people, 2))
    time = np.arange(frames)
    corner = place + time[:, None, None] * speed
    boxes = np.concatenate([corner, corner + size], axis=2)
    scores = rng.uniform(0.5, 1, (frames, people))
    scores[rng.random((frames, people)) < missed] = np.nan
    return MOTRows.from_arrays(
        np.repeat(time + 1, people),
        np.tile(np.arange(people) + 1, frames),
        boxes.reshape(-1, 4),
        scores.ravel(),
        np.ones(frames * people),
    )


def detected(rows: MOTRows, seed: int = 0) -> MOTRows:
    """What a detector makes of :func:`walk`: noisy boxes without ids."""
    rng = np.random.default_rng(seed + 1000)
    rows = rows[np.isfinite(rows.scores)]
    rows.bboxes = rows.bboxes + rng.normal(0, 0.5, rows.bboxes.shape)
    rows.ids = np.full(len(rows), -1)
    return rows


def write_seqinfo(folder: Path, frames: int, fps: int = 25) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={folder.name}\nimDir=img1\nframeRate={fps}\nseqLength={frames}\n"
        f"imWidth={SIZE[0]}\nimHeight={SIZE[1]}\nimExt=.png\n"
    )


def write_walkers(
    root: Path, names: tuple[str, ...] = ("A", "B", "C"), people: int = 4, frames: int = 20
) -> Path:
    """Sequences ``root/NAME`` with ``det/det.txt``, ``gt/gt.txt`` and ``seqinfo.ini``."""
    for seed, name in enumerate(names):
        rows = walk(people, frames, seed)
        write_mot_text(root / name / "det" / "det.txt", detected(rows, seed))
        truth = rows[:]
        truth.scores = np.ones(len(rows))
        write_mot_text(root / name / "gt" / "gt.txt", truth, "gt")
        write_seqinfo(root / name, frames)
    return root
