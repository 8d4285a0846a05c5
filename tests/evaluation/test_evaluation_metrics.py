"""The metrics as mmengine's Evaluator drives them, in one process and in two.

Run as a script this file is one of the two processes: ``FILE RANK FOLDER``.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from mmdeepmot.evaluation import OVERALL, evaluate_folder
from mmdeepmot.evaluation.metrics import DetectionMetric, EmbeddingMetric, MOTMetric
from mmdeepmot.io.mot import MOTRows, read_mot_text, write_mot_text
from mmdeepmot.registry import METRICS

FRAMES = 8
VIDEOS = ("a", "b", "c")


def frame_sample(video: str, index: int, first: int = 1) -> DetDataSample:
    """A frame of a made-up sequence: four objects (the last ignored), noisy results on them."""
    rng = np.random.default_rng([ord(video), index])
    ids = np.arange(4)
    left = 60.0 * ids + 2 * index
    boxes = np.stack([left, 0 * left, left + 30, 0 * left + 60], axis=1)
    found = rng.random(4) < 0.85
    sample = DetDataSample(
        metainfo=dict(video_name=video, frame_id=index, frame_number=first + index, video_length=8)
    )
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor(boxes[:3], dtype=torch.float32),
        labels=torch.zeros(3, dtype=torch.int64),
        instances_ids=torch.tensor(ids[:3] + 10 * VIDEOS.index(video)),
    )
    sample.ignored_instances = InstanceData(
        bboxes=torch.tensor(boxes[3:], dtype=torch.float32),
        labels=torch.zeros(1, dtype=torch.int64),
    )
    noisy = torch.tensor(boxes[found] + rng.normal(0, 2, (found.sum(), 4)))
    scores = torch.tensor(rng.uniform(0.3, 1, found.sum()))
    labels = torch.zeros(len(noisy), dtype=torch.int64)
    track_ids = torch.tensor(1 + ids[found] + 10 * (index >= 5))
    sample.pred_track_instances = InstanceData(
        bboxes=noisy, scores=scores, labels=labels, instances_id=track_ids
    )
    sample.pred_instances = InstanceData(bboxes=noisy, scores=scores, labels=labels)
    looks = np.random.default_rng(ord(video)).normal(size=(3, 8)) + rng.normal(size=(3, 8))
    sample.pred_embeddings = InstanceData(
        embeddings=torch.tensor(looks, dtype=torch.bfloat16),
        instances_ids=sample.gt_instances.instances_ids,
    )
    return sample


def clip(frames: list[DetDataSample]) -> TrackDataSample:
    sample = TrackDataSample()
    sample.video_data_samples = frames
    return sample


def clips(video: str, length: int = 3) -> list[TrackDataSample]:
    """The sequence as consecutive clips, the last one shorter."""
    frames = [frame_sample(video, index) for index in range(FRAMES)]
    return [clip(frames[i : i + length]) for i in range(0, FRAMES, length)]


def all_metrics() -> list:
    return [MOTMetric(), DetectionMetric(), EmbeddingMetric()]


def evaluate(samples: list, metrics: list) -> dict:
    evaluator = Evaluator(metrics)
    for sample in samples:
        evaluator.process([sample], data_batch=None)
    return evaluator.evaluate(len(samples))


def test_metrics_are_found_by_name() -> None:
    for name in ("MOTMetric", "DetectionMetric", "EmbeddingMetric"):
        assert METRICS.build({"type": name}).prefix in ("track", "detection", "embedding")


def test_figures_equal_those_of_the_written_files(tmp_path: Path) -> None:
    """The metric's figures and those of its result files scored as a folder."""
    metric = MOTMetric(outfile_prefix=str(tmp_path / "results"))
    samples = [sample for video in VIDEOS for sample in clips(video)]
    figures = evaluate(samples, [metric])
    for video in VIDEOS:
        frames = [frame_sample(video, index) for index in range(FRAMES)]
        boxes = [
            np.concatenate([f.gt_instances.bboxes, f.ignored_instances.bboxes]) for f in frames
        ]
        write_mot_text(
            tmp_path / "gt" / video / "gt" / "gt.txt",
            MOTRows.from_arrays(
                np.repeat(np.arange(1, FRAMES + 1), 4),
                np.tile(np.arange(4), FRAMES),
                np.concatenate(boxes),
                classes=np.tile([1, 1, 1, 8], FRAMES),
            ),
            kind="gt",
        )
    table = evaluate_folder(tmp_path / "results", tmp_path / "gt")
    assert metric.table is not None
    assert list(metric.table.rows) == [*VIDEOS, OVERALL]
    assert metric.table.notes == table.notes
    for name, row in metric.table.rows.items():
        assert row == pytest.approx(table.rows[name], abs=0.01), name
    assert figures == {f"track/{key}": value for key, value in metric.table.overall.items()}
    assert 50 < figures["track/MOTA"] < 95
    assert figures["track/IDs"] > 0


@pytest.mark.parametrize("length", [1, 4, 8])
def test_length_of_clips_and_order_do_not_matter(length: int) -> None:
    expected = evaluate([sample for video in VIDEOS for sample in clips(video)], all_metrics())
    samples = [sample for video in reversed(VIDEOS) for sample in clips(video, length)]
    assert evaluate(samples, all_metrics()) == pytest.approx(expected, abs=1e-4)


def test_samples_of_single_frames_are_accepted_too() -> None:
    expected = evaluate([s for v in VIDEOS for s in clips(v)], all_metrics())
    frames = [frame_sample(video, index) for video in VIDEOS for index in range(FRAMES)]
    assert evaluate(frames, all_metrics()) == pytest.approx(expected)
    # What samplers repeat to fill up a process counts once.
    assert evaluate([*frames, *frames[:5]], all_metrics()) == pytest.approx(expected)


def test_two_processes_give_the_same_figures(tmp_path: Path) -> None:
    expected = evaluate([s for v in VIDEOS for s in clips(v)], all_metrics())
    workers = [
        subprocess.Popen(
            [sys.executable, __file__, str(rank), str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        )
        for rank in range(2)
    ]
    for worker in workers:
        output, _ = worker.communicate(timeout=120)
        assert worker.returncode == 0, output
    for rank in range(2):
        got = json.loads((tmp_path / f"{rank}.json").read_text())
        assert got["figures"] == pytest.approx(expected)
        assert got["rows"] == [*VIDEOS, OVERALL]
        assert "the 8 frames of sequence a were divided among 2 processes" in got["divided"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.txt", "b.txt", "c.txt"]


def worker(rank: int, folder: Path) -> None:
    """Rank 0 has sequences a and c, rank 1 has b, and c again as filling; then a is divided."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    metrics = [MOTMetric(outfile_prefix=str(folder / "out")), DetectionMetric(), EmbeddingMetric()]
    share = ("a", "c") if rank == 0 else ("b", "c")
    figures = evaluate([sample for video in share for sample in clips(video)], metrics)
    divided = ""
    try:
        evaluate(clips("a")[rank::2], [MOTMetric()])
    except ValueError as error:
        divided = str(error)
    report = {"figures": figures, "rows": list(metrics[0].table.rows), "divided": divided}
    (folder / f"{rank}.json").write_text(json.dumps(report))
    torch.distributed.destroy_process_group()


def test_format_only_needs_no_ground_truth(tmp_path: Path) -> None:
    metric = MOTMetric(format_only=True, outfile_prefix=str(tmp_path))
    frames = [frame_sample("a", index, first=401) for index in range(FRAMES)]
    for frame in frames:
        del frame.gt_instances, frame.ignored_instances
    assert evaluate([clip(frames)], [metric]) == {}
    rows = read_mot_text(tmp_path / "a.txt", "result", strict=True)
    tracks = [frame.pred_track_instances for frame in frames]
    assert rows.frames.tolist() == [401 + i for i, one in enumerate(tracks) for _ in one.bboxes]
    assert rows.ids.tolist() == torch.cat([one.instances_id for one in tracks]).tolist()
    assert rows.bboxes == pytest.approx(torch.cat([one.bboxes for one in tracks]).numpy(), abs=2e-3)
    assert rows.scores == pytest.approx(torch.cat([one.scores for one in tracks]).numpy(), abs=1e-5)
    with pytest.raises(ValueError, match="format_only needs outfile_prefix"):
        MOTMetric(format_only=True)


def test_sequences_of_one_name_are_not_mixed_up() -> None:
    first, second = frame_sample("a", 0), frame_sample("a", 0)
    first.set_metainfo({"img_path": "one/000001.jpg"})
    second.set_metainfo({"img_path": "two/000001.jpg"})
    with pytest.raises(ValueError, match=r"frame 1 came from two images, one/.*two/.* names of"):
        evaluate([first, second], [MOTMetric()])
    assert evaluate([first, second], [DetectionMetric()])["detection/Images"] == 2


def test_ground_truth_without_identity_is_ignored_in_tracking() -> None:
    frame = frame_sample("a", 0)
    tracks = frame.pred_track_instances
    frame.pred_track_instances = InstanceData(
        bboxes=frame.gt_instances.bboxes,
        scores=torch.ones(3),
        labels=torch.zeros(3),
        instances_id=torch.arange(3),
    )
    assert len(tracks.bboxes) <= 4
    frame.gt_instances.instances_ids[:2] = -1
    metric = MOTMetric()
    figures = evaluate([frame], [metric])
    assert (figures["track/GT"], figures["track/MOTA"]) == (1, 100)


def test_sequences_without_ground_truth() -> None:
    bare = frame_sample("b", 0)
    bare.gt_instances = bare.gt_instances[torch.zeros(3, dtype=torch.bool)]
    metric = MOTMetric()
    evaluate([*clips("a"), bare], [metric])
    assert metric.table is not None
    assert list(metric.table.rows) == ["a", OVERALL]
    assert metric.table.notes[-1] == "1 sequences without ground truth were left out: b"
    with pytest.raises(ValueError, match="none of 1 sequences has a box that counts"):
        evaluate([bare], [MOTMetric()])


def test_frames_without_results() -> None:
    frames = [frame_sample("a", index) for index in range(FRAMES)]
    none = torch.zeros(0, dtype=torch.bool)
    for frame in frames:
        keep = none.new_zeros(len(frame.pred_instances))
        frame.pred_track_instances = frame.pred_track_instances[keep]
        frame.pred_instances = frame.pred_instances[keep]
    figures = evaluate([clip(frames)], [MOTMetric(), DetectionMetric()])
    assert (figures["track/MOTA"], figures["track/FN"]) == (0, 3 * FRAMES)
    assert figures["detection/AP@0.5"] == 0
    assert np.isnan(figures["track/MOTP"])


def test_bad_predictions_name_sequence_and_frame() -> None:
    frame = frame_sample("b", 3, first=101)
    frame.pred_track_instances.bboxes[0, 1] = float("nan")
    with pytest.raises(ValueError, match=r"sequence b, frame 104: expected finite bboxes"):
        evaluate([frame], [MOTMetric()])
    frame = frame_sample("b", 3)
    frame.pred_track_instances.instances_id[:] = 7
    with pytest.raises(ValueError, match=r"sequence b, frame 4: .* got \[7\] more than once"):
        evaluate([frame], [MOTMetric()])
    frame.pred_instances.scores[0] = float("inf")
    with pytest.raises(ValueError, match=r"sequence b, frame 4: expected finite scores, got inf"):
        evaluate([frame], [DetectionMetric()])
    frame.pred_embeddings.embeddings[1] = float("nan")
    with pytest.raises(ValueError, match=r"sequence b, frame 4: expected finite embeddings"):
        evaluate([frame], [EmbeddingMetric()])
    for metric, field in (
        (MOTMetric(), "pred_track_instances"),
        (DetectionMetric(), "pred_instances"),
        (EmbeddingMetric(), "pred_embeddings"),
    ):
        frame = frame_sample("b", 3)
        delattr(frame, field)
        with pytest.raises(KeyError, match=f"expected {field} in the sample.*TrackingModel with"):
            evaluate([frame], [metric])


def test_nothing_to_score() -> None:
    with pytest.raises(ValueError, match="MOTMetric was given no frame to score"):
        evaluate([], [MOTMetric()])
    frame = frame_sample("a", 0)
    frame.pred_embeddings.instances_ids[:] = -1
    with pytest.raises(ValueError, match="none of 1 frames has an embedding"):
        evaluate([frame], [EmbeddingMetric()])


def test_wrong_options_are_found_when_built(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="evaluator must be one of"):
        MOTMetric(evaluator="pymotmetrics")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"far must be rates in \[0, 1\), got \(1.5,\)"):
        EmbeddingMetric(far=(1.5,))
    with pytest.raises(ValueError, match="iou_thresholds must lie in"):
        DetectionMetric(iou_thresholds=())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install motmetrics"):
        MOTMetric()


def test_identities_of_sequences_can_be_kept_apart() -> None:
    """Two sequences with identities numbered alike, told apart or not."""
    frames = []
    for video, axis in (("a", 0), ("b", 1)):
        for index in range(2):
            frame = frame_sample(video, index)
            look = torch.zeros(1, 3)
            look[0, axis] = 1
            other = torch.tensor([[0.0, 0.0, 1.0]])
            frame.pred_embeddings = InstanceData(
                embeddings=torch.cat([look, other]), instances_ids=torch.tensor([0, 1])
            )
            frames.append(frame)
    apart = evaluate(frames, [EmbeddingMetric(global_ids=False, far=(0.3,))])
    assert apart["embedding/IDs"] == 4
    assert apart["embedding/TPR@FAR=0.3"] == 100  # 4 of 24 other pairs look alike
    together = evaluate(frames, [EmbeddingMetric(far=(0.3,))])
    assert together["embedding/IDs"] == 2
    assert together["embedding/TPR@FAR=0.3"] == pytest.approx(100 * 8 / 12)


def test_the_pages_say_from_how_many_boxes_on_a_sample_is_taken(repository):
    limit = EmbeddingMetric().max_embeddings
    for page in ("results", "paper_datasets"):
        text = (repository / f"docs/{page}.md").read_text(encoding="utf-8")
        assert f"{limit:,}" in text and "max_embeddings=None" in text


if __name__ == "__main__":
    worker(int(sys.argv[1]), Path(sys.argv[2]))
