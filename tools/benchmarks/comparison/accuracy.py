"""Scores of contenders on the shared sequences, by the same rules."""

from collections.abc import Iterable, Sequence

import numpy as np

from comparison.contender import Contender
from comparison.scenes import Scene
from mmdeepmot.evaluation.folder import gt_roles
from mmdeepmot.evaluation.functional.sequence import TrackingSequence
from mmdeepmot.evaluation.table import ScoreTable
from mmdeepmot.evaluation.tracking import evaluate_tracking
from mmdeepmot.io.mot import MOTRows, read_mot_text

#: The scores that are compared.
SCORES = ("MOTA", "IDF1", "HOTA")


def track(contender: Contender, scene: Scene) -> MOTRows:
    """All results of a contender on a scene; frames from 1."""
    step = contender.start(scene)
    frames, ids, bboxes = [], [], []
    for number, frame in enumerate(contender.prepare(scene), start=1):
        identity, box = contender.read(step(frame))
        frames.append(np.full(len(identity), number))
        ids.append(identity)
        bboxes.append(box)
    return MOTRows.from_arrays(np.concatenate(frames), np.concatenate(ids), np.concatenate(bboxes))


def to_sequence(scene: Scene, rows: MOTRows) -> TrackingSequence:
    """Results beside the ground truth of the scene's folder, by MOT17's rules."""
    assert scene.folder is not None, f"{scene.name} has no ground truth"
    truth = read_mot_text(scene.folder / "gt" / "gt.txt", "gt")
    return TrackingSequence(
        scene.name,
        truth.frames,
        truth.ids,
        truth.bboxes,
        gt_roles(truth, "MOT17", scene.name),
        rows.frames,
        rows.ids,
        rows.bboxes,
    )


def score(contender: Contender, scenes: Iterable[Scene]) -> ScoreTable:
    """Scores of a contender, a row a scene and OVERALL."""
    return evaluate_tracking([to_sequence(scene, track(contender, scene)) for scene in scenes])


def differences(ours: ScoreTable, theirs: ScoreTable) -> dict[str, dict[str, float]]:
    """Ours less theirs in :data:`SCORES`, in points, for every row."""
    return {
        name: {key: row[key] - theirs.rows[name][key] for key in SCORES}
        for name, row in ours.rows.items()
    }


def worst(table: dict[str, dict[str, float]], keys: Sequence[str] = SCORES) -> float:
    """The smallest difference of all."""
    return min(row[key] for row in table.values() for key in keys)
