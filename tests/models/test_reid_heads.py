"""IDE, triplet and PCB heads: by hand, at their limits, and learning."""

import pytest
import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmdeepmot.errors import InputError
from mmdeepmot.models.losses.embedding import identity_cross_entropy
from mmdeepmot.models.reid.pcb_head import stripes
from mmdeepmot.registry import MODELS

PLAIN = {"type": "IdentityCrossEntropyLoss", "normalize": False}
HEADS = {
    "ide": {"type": "IDEHead", "in_channels": 64, "num_ids": 3, "loss_id": PLAIN, "dropout": 0.1},
    "triplet": {
        "type": "TripletHead", "in_channels": 64, "hidden": 32, "embed_dims": 16,
        "loss_triplet": {"type": "BatchHardTripletLoss", "margin": 0.3},
    },
    "pcb": {
        "type": "PCBHead", "in_channels": 64, "parts": 2, "part_dims": 8, "num_ids": 3,
        "loss_id": PLAIN, "dropout": 0.1,
    },
}  # fmt: skip
DIMS = {"ide": 64, "triplet": 16, "pcb": 16}


def network(head, **changes):
    backbone = {"type": "ResNet", "depth": 18, "base_channels": 8, "out_indices": (3,),
                "strides": (1, 2, 2, 1), "frozen_stages": -1, "norm_eval": False}  # fmt: skip
    return {"type": "ReIDNet", "backbone": backbone, "head": dict(HEADS[head]),
            "crop_size": (16, 32), **changes}  # fmt: skip


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


def test_features_may_be_classified_as_they_are():
    features = torch.tensor([[3.0, 0.0], [0.0, 5.0], [1.0, 1.0]])
    weight, identities = torch.eye(2), torch.tensor([0, 0, -1])
    losses, counts = identity_cross_entropy(features, identities, weight, None, None)
    expected = [torch.log1p(torch.tensor(-3.0).exp()), torch.log1p(torch.tensor(5.0).exp()), 0.0]
    torch.testing.assert_close(losses, torch.tensor(expected))
    assert counts.tolist() == [True, True, False]
    with pytest.raises(InputError, match=r"scale=2\.0 is for normalize=True"):
        MODELS.build({**PLAIN, "embed_dims": 2, "num_ids": 2, "scale": 2.0})


def test_stripes():
    maps = torch.arange(16.0).view(1, 2, 4, 2)
    # channel 0 has the rows 0 1 | 2 3 | 4 5 | 6 7, channel 1 the same and 8
    torch.testing.assert_close(stripes(maps, 2), torch.tensor([[[1.5, 9.5], [5.5, 13.5]]]))
    torch.testing.assert_close(stripes(maps, 1)[:, 0], maps.mean(dim=(2, 3)))
    with pytest.raises(InputError, match=r"5 stripes need a map at least 5 high, got 4"):
        stripes(maps, 5)


def test_ide_by_hand():
    head = MODELS.build({**HEADS["ide"], "in_channels": 2, "dropout": 0.0})
    maps = torch.tensor([[[[1.0, 3.0]], [[4.0, 0.0]]]])  # means 2, 2
    torch.testing.assert_close(head(maps), torch.full((1, 2), 0.5**0.5))
    layer = head.loss_id.classifier
    expected = F.cross_entropy(layer(torch.tensor([[2.0, 2.0]])), torch.tensor([1]))
    torch.testing.assert_close(head.loss(maps, torch.tensor([1]))["loss_id"], expected)
    assert head.loss(maps, torch.tensor([-1]))["loss_id"] == 0


def test_pcb_sees_each_stripe_by_itself():
    torch.manual_seed(0)
    head = MODELS.build({**HEADS["pcb"], "in_channels": 4}).eval()
    maps = torch.rand(3, 4, 6, 2)
    changed = maps.clone()
    changed[:, :, 3:] += 1
    upper, lower = head.features(maps)
    other_upper, other_lower = head.features(changed)
    torch.testing.assert_close(upper, other_upper)
    assert not torch.allclose(lower, other_lower)
    torch.testing.assert_close(head(maps), F.normalize(torch.cat((upper, lower), dim=1), dim=1))
    identities = torch.tensor([0, 2, -1])
    total = sum(
        F.cross_entropy(loss.classifier(one), identities, ignore_index=-1)
        for loss, one in zip(head.loss_id, (upper, lower), strict=True)
    )
    torch.testing.assert_close(head.loss(maps, identities)["loss_id"], total)
    with pytest.raises(InputError, match="parts must be at least 1"):
        MODELS.build({**HEADS["pcb"], "parts": 0})


@pytest.mark.parametrize("head", HEADS)
def test_it_learns_to_tell_three_people_apart(head):
    torch.manual_seed(0)
    net = MODELS.build(network(head)).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    identities = [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for step in range(40):
        total = sum(net.loss(*crops(identities, step)).values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        looks = net(crops(identities, 99)[0])
    assert looks.shape == (9, DIMS[head])
    torch.testing.assert_close(looks.norm(dim=1), torch.ones(9))
    similarity = looks @ looks.T
    same = torch.tensor(identities)[:, None] == torch.tensor(identities)
    assert similarity[same].min() > similarity[~same].max()


@pytest.mark.parametrize("head", HEADS)
def test_as_an_external_network(head, tmp_path):
    torch.manual_seed(1)
    model = MODELS.build({"type": "TrackingModel", "reid": network(head), "task": "embedding"})
    torch.save({"state_dict": model.state_dict()}, tmp_path / "reid.pth")
    external = MODELS.build(network(head, weights=str(tmp_path / "reid.pth")))
    images, _ = crops([0, 1])
    with torch.no_grad():
        torch.testing.assert_close(external(images), model.reid.eval()(images))
    assert not external.state_dict()
    assert external.head.loss(torch.rand(2, 64, 4, 2), torch.tensor([0, 1])) == {}
    assert external(images[:0]).shape == (0, DIMS[head])
