"""The ReID network: crops, losses by hand, external weights, its place in a TrackingModel."""

import math

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.structures import InstanceData

from mmdeepmot.engine.weights import check_weights
from mmdeepmot.models.losses.batch_hard import batch_hard_loss
from mmdeepmot.models.reid import ReIDNet, crop_boxes
from mmdeepmot.registry import MODELS

LOSSES = {
    "loss_id": {"type": "IdentityCrossEntropyLoss"},
    "loss_triplet": {"type": "BatchHardTripletLoss", "margin": 0.2},
}


def config(**changes):
    backbone = {"type": "ResNet", "depth": 18, "base_channels": 8, "out_indices": (3,),
                "frozen_stages": -1, "norm_eval": False}  # fmt: skip
    head = {"type": "BNNeckHead", "in_channels": 64, "embed_dims": 16, "num_ids": 3, **LOSSES}
    return {
        "type": "ReIDNet", "backbone": backbone, "head": head, "crop_size": (16, 32), **changes
    }  # fmt: skip


def crops(identities, seed=0):
    """One colour a person, with noise ``(N, 3, 32, 16)``; and samples."""
    rng = torch.Generator().manual_seed(seed)
    colour = torch.rand(8, 3, 1, 1, generator=torch.Generator().manual_seed(9))
    images = colour[identities] + 0.1 * torch.rand(len(identities), 3, 32, 16, generator=rng)
    samples = [
        DetDataSample(gt_instances=InstanceData(instances_ids=torch.tensor([one])))
        for one in identities
    ]
    return images, samples


def test_a_crop_of_its_own_size_is_the_image():
    images = torch.rand(2, 3, 40, 50, generator=torch.Generator().manual_seed(0))
    boxes = [torch.tensor([[4.0, 6, 20, 38]]), torch.tensor([[30.0, 2, 46, 34], [0, 0, 16, 32]])]
    out = crop_boxes(images, boxes, (16, 32))
    inside = torch.stack(
        [images[0, :, 6:38, 4:20], images[1, :, 2:34, 30:46], images[1, :, :32, :16]]
    )
    # two samples a px side, bilinear: a px mixes with its neighbours by eighths
    assert out.shape == (3, 3, 32, 16)
    flat = crop_boxes(torch.full((1, 3, 40, 50), 0.7), boxes[:1], (16, 32))
    torch.testing.assert_close(flat, torch.full((1, 3, 32, 16), 0.7))
    assert (out - inside).abs().mean() < 0.2
    assert np.corrcoef(out.ravel(), inside.ravel())[0, 1] > 0.75
    assert crop_boxes(images, [box[:0] for box in boxes], (16, 32)).shape == (0, 3, 32, 16)


def test_batch_hard_by_hand():
    """Angles 0 and 60 degrees of one person, 90 of another, 180 of nobody."""
    angle = torch.tensor([0.0, 60, 90, 180]) * math.pi / 180
    vectors = torch.stack([angle.cos(), angle.sin()], dim=1).requires_grad_()
    losses, counts = batch_hard_loss(vectors, torch.tensor([4, 4, 7, -1]), margin=0.2)
    assert counts.tolist() == [True, True, False, False]
    # first: negative cos 90 = 0, positive cos 60 = .5: satisfied; second: cos 30 - cos 60 + .2
    expected = [0.0, math.cos(math.pi / 6) - 0.5 + 0.2, 0.0, 0.0]
    torch.testing.assert_close(losses.detach(), torch.tensor(expected))
    losses.sum().backward()
    assert torch.isfinite(vectors.grad).all() and vectors.grad[1].abs().sum() > 0
    none, counts = batch_hard_loss(vectors[:0], torch.zeros(0, dtype=torch.long))
    assert none.shape == (0,) and counts.shape == (0,)
    alone, counts = batch_hard_loss(vectors[:2], torch.tensor([1, 1]))
    assert alone.tolist() == [0, 0] and not counts.any()


def test_embeddings_of_boxes_are_those_of_their_crops():
    net = MODELS.build(config()).eval()
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    boxes = [torch.tensor([[0.0, 0, 20, 40], [30, 10, 60, 60]]), torch.zeros(0, 4)]
    first, second = net.embed(images, boxes)
    torch.testing.assert_close(first, net(crop_boxes(images, boxes, (16, 32))))
    torch.testing.assert_close(first.norm(dim=1), torch.ones(2))
    assert second.shape == (0, 16)


def test_it_learns_to_tell_three_people_apart():
    torch.manual_seed(0)
    net = MODELS.build(config()).train()
    optimizer = torch.optim.Adam((p for p in net.parameters() if p.requires_grad), lr=3e-3)
    identities = [0, 0, 0, 1, 1, 1, 2, 2, 2]
    history = []
    for step in range(40):
        losses = net.loss(*crops(identities, step))
        assert losses.keys() == {"loss_triplet", "loss_id"}
        total = sum(losses.values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append(total.item())
    assert history[-1] < 0.4 * history[0]
    net.eval()
    with torch.no_grad():
        looks = net(crops(identities, 99)[0])
    similarity = looks @ looks.T
    same = torch.tensor(identities)[:, None] == torch.tensor(identities)
    assert similarity[same].min() > similarity[~same].max()


def test_crops_with_several_boxes_are_refused():
    images, samples = crops([0, 1])
    samples[1].gt_instances = InstanceData(instances_ids=torch.tensor([1, 2]))
    with pytest.raises(ValueError, match=r"one box each, got samples with \[1, 2\] boxes"):
        MODELS.build(config()).loss(images, samples)


@pytest.fixture
def trained(tmp_path):
    """A checkpoint of a TrackingModel around a ReIDNet, and the network."""
    torch.manual_seed(3)
    model = MODELS.build({"type": "TrackingModel", "reid": config(), "task": "embedding"})
    torch.save({"state_dict": model.state_dict()}, tmp_path / "reid.pth")
    return tmp_path / "reid.pth", model.reid


def test_an_external_network_is_no_part_of_the_model(trained):
    path, net = trained
    external = MODELS.build(config(weights=str(path)))
    images, _ = crops([0, 1, 2])
    with torch.no_grad():
        torch.testing.assert_close(external(images), net.eval()(images))
    whole = torch.nn.ModuleDict({"follower": torch.nn.Linear(2, 2), "reid": external})
    state = whole.state_dict()
    assert list(state) == ["follower.weight", "follower.bias"]
    assert check_weights(whole, {"state_dict": state}, "x").fraction == 1
    whole.load_state_dict(state)  # strict: nothing is missing
    assert not any(p.requires_grad for p in external.parameters())
    external.train()
    assert not any(module.training for module in external.modules())


def test_weights_of_another_network_are_refused(trained):
    path, _ = trained
    images, _ = crops([0])
    head = {**config()["head"], "embed_dims": 8}
    with pytest.raises(RuntimeError, match=r"another ReID network: 6 of \d+ tensors .*head\.bn"):
        MODELS.build(config(weights=str(path), head=head))(images)
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pth"):
        MODELS.build(config(weights="nowhere.pth"))(images)


@MODELS.register_module(force=True)
class OneBoxDetector(torch.nn.Module):
    """One person, with an embedding that is not to be used."""

    def predict(self, inputs, samples, task="track"):
        for sample in samples:
            sample.pred_instances = InstanceData(
                bboxes=torch.tensor([[4.0, 4, 20, 40]]), scores=torch.ones(1),
                labels=torch.zeros(1, dtype=torch.long), embeddings=torch.eye(1, 4),
            )  # fmt: skip
        return samples


def test_the_reid_network_replaces_the_detector_s_embeddings():
    memory = {"type": "MomentumMemory"}
    model = MODELS.build({
        "type": "TrackingModel", "reid": config(), "detector": {"type": "OneBoxDetector"},
        "tracker": {"type": "Tracker", "memory": memory, "steps": ["Birth", "Confirm"]},
    }).eval()  # fmt: skip
    meta = {"frame_id": 0, "video_id": 0, "ori_shape": (48, 48), "scale_factor": (1.0, 1.0),
            "pad_offset": (0, 0)}  # fmt: skip
    clip = TrackDataSample()
    clip.video_data_samples = [DetDataSample(metainfo=meta)]
    images = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        model(images[None], [clip], mode="predict")
        (expected,) = model.reid.embed(images, [torch.tensor([[4.0, 4, 20, 40]])])
    np.testing.assert_allclose(model.tracker.table["embeddings"], expected, rtol=1e-5, atol=1e-6)
    assert isinstance(model.reid, ReIDNet)
