"""Videos of what a test tracks."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData

from mmdeepmot.engine.hooks import TrackVideoHook
from mmdeepmot.errors import InputError
from mmdeepmot.io.video import open_video


def runner_of(*names: str) -> SimpleNamespace:
    """What the hook looks at of a runner whose test set has these sequences."""
    index = SimpleNamespace(sequences=[SimpleNamespace(name=name) for name in names])
    return SimpleNamespace(test_dataloader=SimpleNamespace(dataset=SimpleNamespace(index=index)))


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "image.png"
    cv2.imwrite(str(path), np.full((48, 64, 3), 90, np.uint8))
    return str(path)


def clip(image: str, name: str, frames: range, tracked: bool = True) -> TrackDataSample:
    """Frames with one track of id 7 at (8, 8, 24, 40)."""
    samples = []
    for frame in frames:
        sample = DetDataSample(
            metainfo=dict(img_path=image, video_name=name, frame_id=frame, fps=5.0)
        )
        if tracked:
            sample.pred_track_instances = InstanceData(
                bboxes=torch.tensor([[8.0, 8, 24, 40]]), instances_id=torch.tensor([7])
            )
        samples.append(sample)
    out = TrackDataSample()
    out.video_data_samples = samples
    return out


def frames_of(path) -> list[np.ndarray]:
    return [frame for *_, frame in open_video(path)] if path.is_file() else []


def test_a_video_for_each_sequence(tmp_path, image):
    hook = TrackVideoHook(str(tmp_path / "out"))
    runner = runner_of("A", "B")
    hook.before_test(runner)
    for batch in (clip(image, "A", range(2)), clip(image, "A", range(2, 3))):
        hook.after_test_iter(runner, 0, outputs=[batch])
    assert not (tmp_path / "out" / "A.mp4").exists()
    hook.after_test_iter(runner, 1, outputs=[clip(image, "B", range(1))])
    assert (tmp_path / "out" / "A.mp4").is_file()  # finished where the next one begins
    hook.after_test_epoch(runner)
    for name, count in (("A", 3), ("B", 1)):
        video = open_video(tmp_path / "out" / f"{name}.mp4")
        assert (video.length, video.fps, video.size) == (count, 5.0, (64, 48))
    hook.close()  # a second call does nothing
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["A.mp4", "B.mp4"]


def test_only_the_sequences_asked_for(tmp_path, image):
    hook = TrackVideoHook(str(tmp_path / "out"), sequences=["B"])
    for name in "ABC":
        hook.after_test_iter(runner_of("A", "B", "C"), 0, outputs=[clip(image, name, range(2))])
    hook.close()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["B.mp4"]


def test_a_pass_without_tracks_writes_nothing(tmp_path, image):
    hook = TrackVideoHook(str(tmp_path / "out"))
    hook.after_test_iter(runner_of("A"), 0, outputs=[clip(image, "A", range(2), tracked=False)])
    hook.after_test_iter(runner_of("A"), 0, outputs=None)
    hook.after_test_epoch(runner_of("A"))
    assert not (tmp_path / "out").exists()


def test_a_sequence_that_is_not_there_is_said_first(tmp_path):
    hook = TrackVideoHook(str(tmp_path), sequences=["MOT17-02", "street"])
    hook.before_test(runner_of("MOT17-02", "street"))
    with pytest.raises(InputError, match=r"sequence 'street': .* MOT17-02, streets \(did you mean"):
        hook.before_test(runner_of("MOT17-02", "streets"))
    runner = runner_of()  # a JointDataset
    parts = [runner_of(name).test_dataloader.dataset for name in ("MOT17-02", "streets")]
    runner.test_dataloader.dataset = SimpleNamespace(datasets=parts)
    with pytest.raises(InputError, match="the test set has MOT17-02, streets"):
        hook.before_test(runner)


def test_tags_name_the_class_where_there_are_several(tmp_path, image, monkeypatch):
    seen = []

    def draw(canvas, bboxes, tags, colors, style):
        seen.extend(tags)

    monkeypatch.setattr("mmdeepmot.visualization.draw.draw_tagged_boxes", draw)
    for classes in (("person", "car"), ("person",)):
        runner = runner_of("A")
        runner.test_dataloader.dataset.metainfo = {"classes": classes}
        hook = TrackVideoHook(str(tmp_path / classes[-1]))
        hook.before_test(runner)
        batch = clip(image, "A", range(1))
        tracks = batch.video_data_samples[0].pred_track_instances
        tracks.labels = torch.tensor([len(classes) - 1])
        hook.after_test_iter(runner, 0, outputs=[batch])
        hook.after_test_epoch(runner)
    assert seen == ["car 7", "7"]
