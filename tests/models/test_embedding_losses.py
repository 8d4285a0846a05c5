"""Embedding losses against values worked by hand and naive loops."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from mmdeepmot.models.losses.embedding import (
    BatchTripletLoss,
    BatchUpperBoundLoss,
    IdentityCrossEntropyLoss,
    build_identity_loss,
    identity_cross_entropy,
    identity_scale,
    triplet_loss,
    upper_bound_loss,
)


def samples(count: int = 12, dims: int = 5, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    embeddings = torch.randn(count, dims, generator=generator, dtype=torch.float64)
    return embeddings, torch.randint(-1, 4, (count,), generator=generator)


def test_scale_is_the_published_formula():
    assert identity_scale(8701) == pytest.approx(math.sqrt(2) * math.log(8700))
    assert identity_scale(2) == identity_scale(3) == pytest.approx(math.sqrt(2) * math.log(2))


def test_cross_entropy_by_hand():
    # Embedding (3, 4) -> (0.6, 0.8) * 2; classifier rows (1, 0), (0, 1): logits 1.2, 1.6.
    losses, valid = identity_cross_entropy(
        torch.tensor([[3.0, 4.0], [3.0, 4.0], [1.0, 0.0]]),
        torch.tensor([0, 1, -1]),
        torch.eye(2),
        None,
        2.0,
    )
    assert losses.tolist() == pytest.approx(
        [math.log(1 + math.exp(0.4)), math.log(1 + math.exp(-0.4)), 0]
    )
    assert valid.tolist() == [True, True, False]


def test_cross_entropy_names_an_identity_outside_the_classifier():
    with pytest.raises(ValueError, match="identity 2 is outside the classifier, which has 2"):
        identity_cross_entropy(torch.ones(1, 2), torch.tensor([2]), torch.eye(2), None, 1.0)


def test_triplet_and_upper_bound_by_hand():
    # Unit vectors at 0, 60, 90 degrees; identity 0 at 0 and 60, identity 1 at 90.
    angles = torch.tensor([0.0, 60.0, 90.0]).deg2rad()
    embeddings = torch.stack((angles.cos(), angles.sin()), dim=1) * 7
    ids = torch.tensor([0, 0, 1])
    losses, valid = triplet_loss(embeddings, ids)
    # From 0: positive cos 60 = .5, negative cos 90 = 0. From 60: positive .5, negative cos 30.
    assert losses.tolist() == pytest.approx([0, math.cos(math.pi / 6) - 0.5, 0], abs=1e-6)
    assert valid.tolist() == [True, True, False]
    with_margin, _ = triplet_loss(embeddings, ids, margin=0.6)
    assert with_margin.tolist() == pytest.approx([0.1, math.cos(math.pi / 6) + 0.1, 0], abs=1e-6)
    upper, valid = upper_bound_loss(embeddings, ids, scale=2.0)
    first = math.log(1 + math.exp(2 * (0 - 0.5)))
    second = math.log(1 + math.exp(2 * (math.cos(math.pi / 6) - 0.5)))
    assert upper[:2].tolist() == pytest.approx([first, second], abs=1e-6)
    assert valid.tolist() == [True, True, False]


def naive(embeddings: np.ndarray, ids: np.ndarray, scale: float) -> tuple[list, list, list]:
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    triplets, uppers, valid = [], [], []
    for i, identity in enumerate(ids):
        positives = [j for j, o in enumerate(ids) if j != i and o == identity and o >= 0]
        negatives = [j for j, o in enumerate(ids) if o >= 0 and o != identity]
        valid.append(bool(positives))
        hardest = min((scale * unit[i] @ unit[j] for j in positives), default=None)
        if hardest is None:
            triplets.append(0.0)
            uppers.append(0.0)
            continue
        differences = np.array([scale * unit[i] @ unit[j] - hardest for j in negatives])
        triplets.append(np.maximum(differences, 0).sum())
        uppers.append(np.log(1 + np.exp(differences).sum()))
    return triplets, uppers, valid


@pytest.mark.parametrize("seed", range(4))
def test_losses_equal_naive_loops(seed):
    embeddings, ids = samples(seed=seed)
    triplets, uppers, valid = naive(embeddings.numpy(), ids.numpy(), 3.0)
    found, counted = triplet_loss(embeddings, ids, scale=3.0)
    assert counted.tolist() == valid
    np.testing.assert_allclose(found.numpy(), triplets, atol=1e-5)
    found, _ = upper_bound_loss(embeddings, ids, scale=3.0)
    np.testing.assert_allclose(found.numpy()[counted], np.array(uppers)[counted], atol=1e-5)


def test_equation_3_is_equation_2_and_bounds_the_largest_triplet_term():
    embeddings, ids = samples(seed=5)
    upper, valid = upper_bound_loss(embeddings, ids)
    unit = torch.nn.functional.normalize(embeddings, dim=1)
    similarity = unit @ unit.T
    for i in valid.nonzero().squeeze(1).tolist():
        same = (ids == ids[i]) & (torch.arange(len(ids)) != i)
        positive = similarity[i][same].min().exp()
        negatives = similarity[i][(ids >= 0) & (ids != ids[i])].exp().sum()
        eq3 = -(positive / (positive + negatives)).log()
        assert upper[i].item() == pytest.approx(eq3.item(), rel=1e-5)
        largest = (similarity[i][(ids >= 0) & (ids != ids[i])] - similarity[i][same].min()).max()
        assert upper[i] >= max(largest.item(), 0)


@pytest.mark.parametrize("function", [triplet_loss, upper_bound_loss])
def test_edge_cases_are_finite_and_differentiable(function):
    for ids in ([], [-1, -1], [3], [0, 1, 2], [5, 5]):
        embeddings = torch.randn(len(ids), 4, requires_grad=True)
        losses, valid = function(embeddings, torch.tensor(ids, dtype=torch.int64))
        (losses * valid).sum().backward()
        assert torch.isfinite(losses).all()
        assert embeddings.grad is not None and torch.isfinite(embeddings.grad).all()
        assert valid.tolist() == [ids == [5, 5]] * len(ids)


def test_permutation_moves_the_losses_along():
    embeddings, ids = samples(seed=1)
    order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(2))
    for function in (triplet_loss, upper_bound_loss):
        torch.testing.assert_close(
            function(embeddings[order], ids[order])[0], function(embeddings, ids)[0][order]
        )


def test_gradients():
    weight = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    embeddings, ids = samples(6, seed=3)
    embeddings.requires_grad_()

    def cross_entropy(e, w):
        unit = torch.nn.functional.normalize(e, dim=-1)
        return torch.nn.functional.cross_entropy(
            2 * unit @ w.T, ids, ignore_index=-1, reduction="none"
        )

    assert torch.autograd.gradcheck(cross_entropy, (embeddings, weight))
    losses, _ = identity_cross_entropy(embeddings, ids, weight, None, 2.0)
    expected = torch.autograd.grad(cross_entropy(embeddings, weight).sum(), (embeddings, weight))
    found = torch.autograd.grad(losses.sum(), (embeddings, weight))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_descent_on_each_loss_separates_identities():
    torch.manual_seed(0)
    ids = torch.arange(4).repeat_interleave(3)
    for loss in (
        BatchTripletLoss(margin=0.3),
        BatchUpperBoundLoss(),
        IdentityCrossEntropyLoss(8, 4),
    ):
        embeddings = nn.Parameter(torch.randn(12, 8))
        optimizer = torch.optim.Adam([embeddings, *loss.parameters()], lr=0.1)
        for _ in range(150):
            optimizer.zero_grad()
            loss(embeddings, ids)[0].sum().backward()
            optimizer.step()
        unit = torch.nn.functional.normalize(embeddings.detach(), dim=1)
        similarity = unit @ unit.T
        same = ids[:, None] == ids
        assert similarity[same].min() > similarity[~same].max() + 0.1, type(loss).__name__


def test_classifier_adopts_the_shape_of_the_checkpoint():
    trained = nn.Module()
    trained.loss_id = IdentityCrossEntropyLoss(8, 11)
    fresh = nn.Module()
    fresh.loss_id = build_identity_loss({"type": "IdentityCrossEntropyLoss"}, 8, None)
    with pytest.raises(ValueError, match="set num_ids"):
        fresh.loss_id(torch.ones(1, 8), torch.tensor([0]))
    report = fresh.load_state_dict(trained.state_dict())
    assert not report.missing_keys and not report.unexpected_keys
    assert fresh.loss_id.num_ids == 11
    assert torch.equal(fresh.loss_id.classifier.weight, trained.loss_id.classifier.weight)
    assert fresh.loss_id.scale == identity_scale(11)


def test_build_passes_sizes_only_to_classifiers():
    assert (
        build_identity_loss({"type": "IdentityCrossEntropyLoss"}, 8, 5).classifier.out_features == 5
    )
    assert build_identity_loss({"type": "BatchTripletLoss", "margin": 0.3}, 8, 5).margin == 0.3


@pytest.mark.parametrize("num_ids", [0, -1])
def test_wrong_sizes_are_refused(num_ids):
    with pytest.raises(ValueError, match=f"at least 1, got {num_ids}"):
        IdentityCrossEntropyLoss(8, num_ids)
    with pytest.raises(ValueError, match=r"embeddings \(K, D\).*\(3, 2\) and \(4,\)"):
        triplet_loss(torch.ones(3, 2), torch.zeros(4, dtype=torch.int64))
