"""Followers learn from clips: end to end, on moving rectangles."""

from pathlib import Path
from unittest import mock

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.structures import InstanceData
from toy_clips import SINKHORN, clip_sample, frame_sample, toy_clips, toy_model

from mmdeepmot.errors import InputError
from mmdeepmot.models.losses import ClipRows
from mmdeepmot.models.mot import Follower, deepmot
from mmdeepmot.registry import MODELS

TRACKTOR = Path(__file__).parents[2] / "configs/_base_/trackers/tracktor.py"
LOGGED = {"dMOTA", "dMOTP", "FP", "FN", "IDS"}


def learn(model, steps: int, lr: float = 1e-2) -> list[dict[str, float]]:
    """Steps as mmengine's runner makes them; what each logs."""
    learning = [p for p in model.parameters() if p.requires_grad]
    wrapper = OptimWrapper(torch.optim.Adam(learning, lr=lr))
    history = []
    for step in range(steps):
        images, samples = toy_clips(2, seed=step)
        losses, logged = model.parse_losses(model(images, samples, mode="loss"))
        wrapper.update_params(losses)
        history.append({key: float(value.detach()) for key, value in logged.items()})
    return history


def mean(history: list[dict[str, float]], key: str) -> float:
    return sum(one[key] for one in history) / len(history)


def test_a_follower_learns_by_the_deepmot_loss():
    model = toy_model()
    history = learn(model, 30)
    assert set(history[0]) == LOGGED | {"loss", "loss_dmota", "loss_dmotp"}
    first, last = history[:5], history[-5:]
    assert mean(last, "dMOTA") > mean(first, "dMOTA") + 0.2
    assert mean(last, "FP") < 0.7 * mean(first, "FP")
    assert mean(last, "loss") < mean(first, "loss") - 0.2
    assert all(not p.requires_grad for p in model.criterion.parameters())


def test_a_follower_learns_by_smooth_l1():
    monitor = dict(type="DeepMOTCriterion", matcher=dict(type="Hungarian"))
    history = learn(toy_model(criterion=dict(type="SmoothL1Criterion", monitor=monitor)), 20)
    assert set(history[0]) == LOGGED | {"loss", "loss_box"}
    assert mean(history[-5:], "loss_box") < 0.6 * mean(history[:5], "loss_box")
    assert mean(history[-5:], "dMOTP") > mean(history[:5], "dMOTP")


def test_frames_that_nobody_looks_at_are_not_encoded():
    images, samples = toy_clips(2, length=3)
    rows, seen = {}, {}
    for sees in (True, False):
        model = toy_model(start=dict(type="BoxNoise", scale=(1.0, 1.0), shift=(0.0, 0.0)))
        torch.nn.init.normal_(model.follower.head.weight, generator=torch.manual_seed(0))
        model.follower.start_sees = sees
        with mock.patch.object(model.follower, "encode", wraps=model.follower.encode) as encode:
            rows[sees] = model(images, samples)
        (seen[sees],) = encode.call_args.args
    torch.testing.assert_close(seen[True], images.flatten(0, 1))
    torch.testing.assert_close(seen[False], images[:, 1:].flatten(0, 1))
    torch.testing.assert_close(rows[True].boxes, rows[False].boxes)
    appearance = dict(type="DeepMOTCriterion", matcher=SINKHORN, appearance="term")
    model = toy_model(criterion=appearance)
    model.follower.start_sees = False  # but embed does
    assert torch.isfinite(model(images, samples, mode="loss")["loss_dmota"])


def test_clips_without_anyone_give_a_zero_loss_that_reaches_all():
    model = toy_model()
    empty = clip_sample([frame_sample([], []) for _ in range(3)])
    losses = model(torch.rand(1, 3, 3, 96, 128), [empty], mode="loss")
    total, logged = model.parse_losses(losses)
    assert total == 0 and logged["dMOTA"] == 1 and logged["FP"] == 0
    total.backward()
    assert all(p.grad is not None and not p.grad.any() for p in model.follower.parameters())


def test_rows_of_a_batch():
    images, samples = toy_clips(2, length=4, people=2)
    samples[1][2].gt_instances = samples[1][2].gt_instances[:1]
    rows = toy_model()(images, samples)
    assert isinstance(rows, ClipRows)
    assert rows.boxes.shape == (2, 3, 2, 4)
    assert rows.image_sizes.tolist() == [[128, 96]] * 2
    assert rows.started.tolist() == [[0, 1]] * 2
    assert rows.row_ids.tolist() == [[[0, 1]] * 3, [[0, 1], [0, -1], [0, 1]]]
    assert rows.valid.sum().item() == rows.present.sum().item() == 11
    assert torch.equal(rows.objects[0, 2], samples[0][3].gt_instances.bboxes)


def test_the_bars_of_a_letterbox_are_no_part_of_the_image():
    images, samples = toy_clips(1, length=2, people=1)
    for sample in samples[0]:
        sample.set_metainfo(dict(ori_shape=(48, 48), scale_factor=(2.0, 2.0), pad_offset=(16, 0)))
    assert toy_model()(images, samples).image_sizes.tolist() == [[96, 96]]


def test_several_starts_of_a_clip_from_one_look_at_it():
    images, samples = toy_clips(2, length=3, people=2)
    samples[1][2].gt_instances = samples[1][2].gt_instances[:1]
    model = toy_model(starts_per_clip=4)
    with mock.patch.object(model.follower, "encode", wraps=model.follower.encode) as encode:
        rows = model(images, samples)
    assert encode.call_count == 1 and encode.call_args.args[0].shape == (6, 3, 96, 128)
    assert rows.boxes.shape == (8, 2, 2, 4)
    assert rows.started.tolist() == [[0, 1]] * 8
    assert rows.row_ids.tolist() == [[[0, 1]] * 2] * 4 + [[[0, 1], [0, -1]]] * 4
    assert torch.equal(rows.objects[:4], rows.objects[:1].expand(4, -1, -1, -1))
    assert len(rows.boxes[:, 0, 0].unique(dim=0)) == 8  # nobody starts where another did
    total, logged = model.parse_losses(model(images, samples, mode="loss"))
    assert 0 < logged["dMOTA"] < 1
    total.backward()
    assert model.follower.head.weight.grad.any()
    with pytest.raises(InputError, match="starts_per_clip: expected 1 or more, got 0"):
        toy_model(starts_per_clip=0)


@pytest.mark.parametrize(
    ("inputs", "samples", "message"),
    [
        ((2, 3, 96, 128), [], r"clips \(B, T, 3, H, W\) of at .* got \(2, 3, 96, 128\)"),
        ((1, 1, 3, 96, 128), [], r"view='clips', clip_length=2"),
        ((1, 2, 3, 96, 128), None, "needs data_samples"),
    ],
)  # fmt: skip
def test_what_is_no_clip_is_refused(inputs, samples, message):
    with pytest.raises(InputError, match=message):
        toy_model()(torch.rand(inputs), samples, mode="loss")


def test_it_tracks_what_it_has_learnt_to_follow():
    """One config and its weights train and track: two people, detected in the first frame only."""
    tracker = Config.fromfile(TRACKTOR).tracker
    model = toy_model(tracker=tracker)
    learn(model, 5)
    images, samples = toy_clips(1, length=4, people=2)
    for number, frame in enumerate(samples[0]):
        found = frame.gt_instances[: 2 if number == 0 else 0]
        frame.public_detections = InstanceData(
            bboxes=found.bboxes, scores=torch.ones(len(found)), labels=found.labels
        )
        frame.set_metainfo(
            dict(ori_shape=(96, 128), scale_factor=(1, 1), pad_offset=(0, 0), frame_id=number)
        )
    (tracked,) = model.eval()(images, samples, mode="predict")
    assert [one.pred_track_instances.instances_id.tolist() for one in tracked] == [[1, 2]] * 4
    apart = tracked[3].pred_track_instances.bboxes - tracked[3].gt_instances.bboxes
    assert apart.abs().max() < 12


def test_the_camera_is_asked_in_training_only_if_wanted():
    camera = dict(type="SparseFlow")
    still = dict(type="BoxNoise", scale=(1, 1), shift=(0, 0))
    images, samples = toy_clips(1)
    for frame in samples[0]:
        frame.set_metainfo(dict(ori_shape=(96, 128), scale_factor=(1, 1), pad_offset=(0, 0)))
    shift = lambda boxes: boxes + 7  # noqa: E731
    with mock.patch.object(deepmot, "clip_motions", return_value=[None, shift]) as motions:
        plain = toy_model(start=still, camera=camera)(images, samples)
        assert not motions.called
        moved = toy_model(start=still, camera=camera, compensate=True)(images, samples)
    torch.testing.assert_close(moved.boxes, plain.boxes + 7)
    with pytest.raises(InputError, match="compensate needs a camera"):
        toy_model(compensate=True)


@MODELS.register_module()
class BlindFollower(Follower):
    """Has no appearance, and nothing else."""

    def start(self, image, boxes, ids):
        raise NotImplementedError

    def advance(self, image, targets):
        raise NotImplementedError


def test_appearances_are_asked_of_who_has_them():
    criterion = dict(type="DeepMOTCriterion", matcher=SINKHORN, appearance="term")
    with pytest.raises(InputError, match="compares appearances and the follower BlindFollower has"):
        toy_model(follower=dict(type="BlindFollower"), criterion=criterion)
    images, samples = toy_clips(1, length=3)
    model = toy_model(criterion=criterion)
    rows = model(images, samples)
    assert rows.embeddings.shape == rows.object_embeddings.shape == (1, 2, 3, 36)
    assert model.parse_losses(model(images, samples, mode="loss"))[0].requires_grad


def test_what_does_not_learn_is_frozen():
    model = toy_model(follower=dict(type="ToyFollower", norm=True), trainable=["head.*"])
    learning = [name for name, p in model.follower.named_parameters() if p.requires_grad]
    assert learning == ["head.weight", "head.bias"]
    model.train()
    assert model.follower.training and not model.follower.norm.training
    assert not model.criterion.matcher.training
    with pytest.raises(InputError, match=r"trainable: 'roi\.\*' matches no parameter of ToyFoll"):
        toy_model(trainable=["head.*", "roi.*"])


def test_statistics_are_kept_unless_asked():
    follower = dict(type="ToyFollower", norm=True)
    assert not toy_model(follower=follower).train().follower.norm.training
    model = toy_model(follower=follower, norm_eval=False).train()
    assert model.follower.norm.training
    assert not model.eval().follower.norm.training


def test_a_frozen_network_that_nobody_trained_is_named_once(monkeypatch):
    said = []
    monkeypatch.setattr(deepmot, "print_log", lambda text, **_: said.append(text))
    clips = toy_clips(1, seed=0)

    def warnings(load: bool, **changes) -> list[str]:
        said.clear()
        model = toy_model(**changes)
        if load:
            model.load_state_dict(toy_model().state_dict())
        for _ in range(2):
            model(*clips, mode="loss")
        return list(said)

    (text,) = warnings(load=False, trainable=["head.bias"])
    assert text.startswith(
        "DeepMOTModel: 97% of the parameters of ToyFollower do not learn (trainable) and were "
        "not loaded"
    )
    assert "load_from=CHECKPOINT" in text
    assert warnings(load=True, trainable=["head.bias"]) == []
    assert warnings(load=False) == []
