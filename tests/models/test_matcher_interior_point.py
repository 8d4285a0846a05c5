"""The interior-point matcher: exact values, the central path's equations, gradients that teach."""

import math
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from matcher_cases import of_many_sizes, padded
from torch import Tensor

from mmdeepmot.association.optimal import optimal_assignment
from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.functional.assignment import assignment_scores
from mmdeepmot.evaluation.functional.faulty_scenes import faulty_scenes
from mmdeepmot.models.losses import box_distance
from mmdeepmot.models.losses.deepmot import DeepMOTOptions, DeepMOTTerms, deepmot_loss
from mmdeepmot.models.matchers import DHN, InteriorPoint, interior_point
from mmdeepmot.models.matchers.central_path import AssignmentProblem, central_point
from mmdeepmot.models.matchers.interior_point import complete_slack

SIZE = (640.0, 480.0)
COUNTS = DeepMOTOptions(gamma=1.0, sharpness=1e4)
"""As the metrics count."""


def random_matrix(seed: int, rows: int, columns: int, gate: float = math.inf) -> Tensor:
    """Uniform distances, those above the gate forbidden."""
    values = np.random.default_rng(seed).random((rows, columns))
    return torch.from_numpy(np.where(values > gate, np.inf, values)).float()


@pytest.mark.parametrize("gate", [math.inf, 0.8, 0.3, 0.1])
@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (7, 3), (4, 9), (20, 20), (30, 55)])
def test_values_are_the_optimal_assignment(shape: tuple[int, int], gate: float) -> None:
    for seed in range(5):
        distances = random_matrix(seed, *shape, gate)
        result = InteriorPoint()(distances).numpy()
        np.testing.assert_allclose(result, optimal_assignment(distances), atol=0.02)


@pytest.mark.parametrize("size", [2, 5, 25, 50, 100, 300])
def test_uniform_random_matrices_of_every_size(size: int) -> None:
    distances = random_matrix(size, size, size)
    found = InteriorPoint()(distances).numpy()
    scores = assignment_scores(found, optimal_assignment(distances))
    assert scores["row_wa"] >= 0.98 and scores["col_wa"] >= 0.98


def test_one_more_pair_outweighs_any_distance() -> None:
    """A chain that gives up four near pairs for five far ones."""
    distances = torch.full((5, 5), torch.inf)
    distances[range(4), range(1, 5)] = 0.0
    distances[range(5), range(5)] = 1.0
    torch.testing.assert_close(InteriorPoint()(distances), torch.eye(5), atol=1e-3, rtol=0)
    alone = InteriorPoint(slack=0.4)(distances)  # here two left alone are cheaper than a pair at 1
    assert alone[range(4), range(1, 5)].round().tolist() == [1, 1, 1, 1]
    assert alone.diagonal().max() < 1e-3


def test_slack_leaves_far_pairs_alone() -> None:
    distances = torch.tensor([[0.1, 0.9], [0.9, 0.5]])
    assert InteriorPoint()(distances).round().tolist() == [[1, 0], [0, 1]]
    assert InteriorPoint(slack=0.2)(distances).round().tolist() == [[1, 0], [0, 0]]


def test_equal_optima_are_averaged() -> None:
    """Two identical columns share; a third stays what it is."""
    distances = torch.tensor([[0.2, 0.2, 0.9], [0.3, 0.3, 0.9], [0.8, 0.8, 0.1]])
    expected = torch.tensor([[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 1]])
    torch.testing.assert_close(InteriorPoint()(distances), expected, atol=1e-3, rtol=0)


def test_permutations_permute() -> None:
    generator = torch.Generator().manual_seed(0)
    distances = random_matrix(3, 12, 17, 0.9)
    rows = torch.randperm(12, generator=generator)
    columns = torch.randperm(17, generator=generator)
    matcher = InteriorPoint()
    torch.testing.assert_close(
        matcher(distances[rows][:, columns]), matcher(distances)[rows][:, columns]
    )
    torch.testing.assert_close(matcher(distances.T), matcher(distances).T)


def test_a_batch_equals_one_by_one_with_its_gradient() -> None:
    torch.manual_seed(0)
    matrices = of_many_sizes()
    distances, rows, columns = padded(matrices)
    distances.requires_grad_()
    matcher = InteriorPoint()
    result = matcher(distances, rows, columns)
    weights = torch.rand_like(result)
    (result * weights).sum().backward()
    assert distances.grad is not None
    for index, matrix in enumerate(matrices):
        inner = (index, slice(matrix.shape[0]), slice(matrix.shape[1]))
        alone = matrix.clone().requires_grad_()
        found = matcher(alone)
        torch.testing.assert_close(result[inner], found)
        if matrix.numel():
            (found * weights[inner]).sum().backward()
            torch.testing.assert_close(distances.grad[inner], alone.grad)


@pytest.mark.parametrize("barrier", [1.0, 1e-2, 1e-4, 1e-7])
def test_the_point_satisfies_the_equations_of_the_central_path(barrier: float) -> None:
    given = random_matrix(0, 6, 9, 0.7)[None]
    rows, columns = torch.ones(1, 6, dtype=torch.bool), torch.ones(1, 9, dtype=torch.bool)
    problem = AssignmentProblem.of(given, rows, columns, complete_slack(given, rows, columns))
    wanted = torch.tensor([barrier], dtype=torch.float64)
    point = central_point(problem, wanted, 60, 1e-6)
    assert point.converged.all() and point.iterations < 20
    values, reduced = point.values, point.reduced
    exists = problem.inside > 0
    assert (
        (values[exists] > 0).all() and (reduced[exists] > 0).all() and (values[~exists] == 0).all()
    )
    products = (values * reduced)[exists]
    torch.testing.assert_close(products, wanted.expand_as(products), rtol=2e-6, atol=0)
    torch.testing.assert_close(values[:, :-1].sum(dim=2), problem.rows)
    torch.testing.assert_close(values[:, :, :-1].sum(dim=1), problem.columns)
    costs = problem.costs - reduced  # u_i + v_j, of which the slack's are 0
    both = costs[:, :-1, -1, None] + costs[:, -1, None, :-1]
    torch.testing.assert_close(costs[:, :-1, :-1][exists[:, :-1, :-1]], both[exists[:, :-1, :-1]])


def test_one_pair_by_hand() -> None:
    """X S = mu, (1 - X)(s - u) = mu twice: C = mu / X + 2 s - 2 mu / (1 - X), at X = 1/2, s = 1."""
    barrier, half = 0.05, 0.5
    cost = barrier / half + 2 - 2 * barrier / half
    rest = torch.tensor([[[cost]]], dtype=torch.float64)
    one = torch.ones(1, 1, dtype=torch.bool)
    problem = AssignmentProblem.of(rest, one, one, torch.tensor([1.0]))
    point = central_point(problem, torch.tensor([barrier], dtype=torch.float64), 60, 1e-9)
    assert point.values[0, 0, 0].item() == pytest.approx(half, abs=1e-8)


@pytest.mark.parametrize("slack", [None, 0.4])
@pytest.mark.parametrize(
    ("rows", "columns", "gate"), [(1, 1, 2), (3, 4, 2), (4, 4, 2), (5, 3, 0.7)]
)
def test_gradcheck_where_both_barriers_are_equal(
    rows: int, columns: int, gate: float, slack: float | None
) -> None:
    distances = random_matrix(4, rows, columns, gate).double() * 0.9 + 0.05
    partners = max(1.0, 2 * float(distances.isfinite().sum()) / (rows + columns))
    matcher = InteriorPoint(
        barrier=0.05,
        backward_barrier=0.05 * partners,
        slack=slack,
        backward_slack=slack,
        tolerance=1e-10,
    )
    finite = distances.isfinite()

    def of_allowed(values: Tensor) -> Tensor:
        return matcher(distances.masked_scatter(finite, values))

    assert torch.autograd.gradcheck(of_allowed, (distances[finite].requires_grad_(),), atol=1e-6)


def test_gradients_do_not_vanish_where_the_assignment_is_sharp() -> None:
    """A pair's distance matters for the pair, its rivals gain, and what is far hardly matters."""
    distances = torch.tensor([[0.1, 0.6], [0.7, 0.2]], requires_grad=True)
    result = InteriorPoint()(distances)
    assert result.detach().round(decimals=3).tolist() == [[1, 0], [0, 1]]
    result[0, 0].backward()
    gradient = distances.grad
    assert gradient is not None
    assert gradient[0, 0] < -0.01 and gradient[1, 1] < -0.01
    assert gradient[0, 1] > 0.01 and gradient[1, 0] > 0.01


def test_no_gradient_is_made_ready_where_none_is_wanted() -> None:
    distances = torch.rand(3, 4, requires_grad=True)
    with torch.no_grad():
        assert not InteriorPoint()(distances).requires_grad
    assert not InteriorPoint()(distances.detach()).requires_grad


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pretrained": "x.safetensors"}, "has no weights to read from a file"),
        ({"barrier": 0.0}, "barriers of at least 1e-9"),
        ({"backward_barrier": -1.0}, "barriers of at least 1e-9"),
        ({"slack": 0.0}, "expected slack > 0, finite, got 0.0"),
        ({"backward_slack": math.inf}, "expected backward_slack > 0, finite, got inf"),
        ({"max_iterations": 0}, "max_iterations >= 1"),
        ({"tolerance": 1.0}, "tolerance < 1"),
    ],
)
def test_settings_out_of_range(settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        InteriorPoint(**settings)


# --- what the DeepMOT loss makes of it


def boxes(*lefts: float) -> Tensor:
    """Boxes of 20 x 40 px at the same height, ``(1, N, 4)`` xyxy."""
    x = torch.tensor(lefts, dtype=torch.float64)[None, :, None]
    return torch.cat([x, torch.full_like(x, 100), x + 20, torch.full_like(x, 140)], dim=2)


def terms_of(matcher: InteriorPoint, tracks: Tensor, objects: Tensor, ids: Tensor) -> DeepMOTTerms:
    """Of frames ``(T, N, 4)`` with identities ``(T, N)``; objects' are 0, 1, ..."""
    distances = box_distance(tracks, objects, SIZE)
    columns = torch.arange(objects.shape[1]).expand(len(objects), -1)
    return deepmot_loss(distances, matcher(distances), ids, columns)[0]


@pytest.mark.parametrize("fault", ["false_positives", "misses"])
def test_a_step_mends_a_drifted_track(fault: str) -> None:
    """A track beside its object, IoU 1/4: a false positive and a miss."""
    matcher = InteriorPoint(slack=0.14)
    tracks = boxes(112, 300).requires_grad_()
    objects, ids = boxes(100, 302), torch.tensor([[0, 1]])
    before = getattr(terms_of(matcher, tracks, objects, ids), fault).sum()
    assert before.item() == pytest.approx(1, abs=0.01)
    before.backward()
    assert tracks.grad is not None
    step = tracks.grad / tracks.grad.abs().amax(dim=2, keepdim=True).clamp(min=1e-12)
    assert step[0, 0, 0] > 0 and step[0, 0, 2] > 0  # descending, it goes left
    after = getattr(terms_of(matcher, tracks.detach() - 8 * step, objects, ids), fault).sum()
    assert after.item() < 0.1


@pytest.mark.parametrize("fault", ["false_positives", "misses"])
def test_descent_mends_one_of_two_tracks_on_one_object(fault: str) -> None:
    """Two tracks at one object, the other object missed: the loser goes to the missed one."""
    matcher = InteriorPoint(slack=0.2)
    tracks = boxes(100, 106).requires_grad_()
    objects, ids = boxes(100, 120), torch.tensor([[0, 1]])
    first = getattr(terms_of(matcher, tracks, objects, ids), fault).sum()
    first.backward()
    assert first.item() > 0.9 and tracks.grad is not None
    step = tracks.grad / tracks.grad.abs().amax(dim=2, keepdim=True).clamp(min=1e-12)
    after = getattr(terms_of(matcher, tracks.detach() - 8 * step, objects, ids), fault).sum()
    assert after.item() < 0.1


def test_a_step_mends_a_switch() -> None:
    """Two tracks that have just changed places; the right places are nearly as near."""
    matcher = InteriorPoint()
    objects = boxes(100, 112).expand(2, -1, -1)
    ids = torch.tensor([[0, 1], [0, 1]])
    tracks = torch.cat([boxes(100, 112), boxes(107, 105)]).requires_grad_()
    before = terms_of(matcher, tracks, objects, ids).switches.sum()
    assert before.item() == pytest.approx(2, abs=0.03)
    before.backward()
    assert tracks.grad is not None
    step = tracks.grad / tracks.grad.abs().amax(dim=2, keepdim=True).clamp(min=1e-12)
    assert step[1, 0, 0] > 0 and step[1, 1, 0] < 0  # back to their places
    after = terms_of(matcher, tracks.detach() - 4 * step, objects, ids).switches.sum()
    assert after.item() < 0.1


def scene_values(matcher: InteriorPoint, min_iou: float, count: int) -> tuple[list, list]:
    """dMOTA through the matcher and true MOTA (exact matcher, sharp counts, gated) of scenes."""
    soft, true = [], []
    for scene in faulty_scenes(count, seed=0):
        track_ids, object_ids = (torch.from_numpy(x) for x in (scene.track_ids, scene.object_ids))
        bboxes = torch.from_numpy(scene.track_bboxes), torch.from_numpy(scene.object_bboxes)
        masks = track_ids >= 0, object_ids >= 0
        distances = box_distance(*bboxes, scene.image_size, min_iou=min_iou)
        terms, _ = deepmot_loss(
            distances,
            matcher(distances, *masks),
            track_ids,
            object_ids,
            options=DeepMOTOptions(gamma=1.0),
        )
        soft.append(terms.dmota.item())
        gated = box_distance(*bboxes, scene.image_size, min_iou=0.5)
        exact = optimal_assignment(gated, *(mask.numpy() for mask in masks))
        terms, _ = deepmot_loss(
            gated, torch.from_numpy(exact).double(), track_ids, object_ids, options=COUNTS
        )
        true.append(terms.dmota.item())
    return soft, true


@pytest.mark.parametrize(("min_iou", "slack"), [(0.5, None), (0.0, 0.14)])
def test_soft_accuracy_follows_the_true_one(min_iou: float, slack: float | None) -> None:
    soft, true = scene_values(InteriorPoint(slack=slack), min_iou, 60)
    assert max(true) - min(true) > 0.6
    assert np.corrcoef(soft, true)[0, 1] >= 0.99


def test_descent_raises_the_true_accuracy() -> None:
    """A few steps of Adam on the boxes of a scene against dMOTA alone, distances not gated."""
    scene = faulty_scenes(8, seed=5)[7]  # the one with most faults
    ids = torch.from_numpy(scene.track_ids), torch.from_numpy(scene.object_ids)
    masks = tuple(x >= 0 for x in ids)
    objects = torch.from_numpy(scene.object_bboxes)
    tracks = torch.tensor(scene.track_bboxes, requires_grad=True)
    matcher = InteriorPoint()

    def true_errors() -> float:
        gated = box_distance(tracks.detach(), objects, scene.image_size, min_iou=0.5)
        exact = torch.from_numpy(optimal_assignment(gated, *(m.numpy() for m in masks))).double()
        terms, _ = deepmot_loss(gated, exact, *ids, options=COUNTS)
        return float((terms.false_positives + terms.misses + terms.switches).sum())

    before = true_errors()
    optimizer = torch.optim.Adam([tracks], lr=1.5)
    for _ in range(12):
        distances = box_distance(tracks, objects, scene.image_size)
        terms, _ = deepmot_loss(
            distances,
            matcher(distances, *masks),
            *ids,
            options=DeepMOTOptions(precision_weight=0.0),
        )
        optimizer.zero_grad()
        terms.loss.backward()
        optimizer.step()
    assert true_errors() < before


def test_says_when_steps_did_not_suffice(monkeypatch) -> None:
    """Once; and nothing where they do."""
    said: list[str] = []
    monkeypatch.setattr(interior_point, "print_log", lambda text, **_: said.append(text))
    distances = torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(0))
    InteriorPoint()(distances)
    assert not said
    hurried = InteriorPoint(max_iterations=2)
    hurried(distances)
    hurried(distances)
    (text,) = said
    assert "3 of 3 matrices are not on the central path after 2 Newton steps" in text


def test_real_matrices(shared_data: Path) -> None:
    """Every 100th of the published matrices: WA, MA and SA as good as exact."""
    with np.load(shared_data / "dhn" / "mot_matrices_train.npz") as file:
        shapes, assignments = file["shapes"].astype(int), file["assignments"]
        distances = file["distances"].astype(np.float32)
    starts = np.concatenate([[0], np.cumsum(shapes.prod(axis=1))])
    row_starts = np.concatenate([[0], np.cumsum(shapes[:, 0])])
    scores = []
    for index in range(0, len(shapes), 100):
        shape = tuple(shapes[index])
        matrix = distances[starts[index] : starts[index + 1]].reshape(shape)
        partner = assignments[row_starts[index] : row_starts[index + 1]]
        label = partner[:, None] == np.arange(shape[1])
        soft = InteriorPoint()(torch.from_numpy(matrix)).numpy()
        scores.append(list(assignment_scores(soft, label).values()))
    row_wa, row_ma, row_sa, col_wa, col_ma, col_sa = np.mean(scores, axis=0)
    assert min(row_wa, col_wa) >= 0.99 and max(row_ma, col_ma) <= 0.01
    assert max(row_sa, col_sa) <= 0.005


@pytest.mark.slow
def test_is_thirty_times_faster_than_the_recurrent_net() -> None:
    """Forward and backward at 50 x 50 on one thread, the paper's size of the net."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def seconds(matcher: torch.nn.Module, repeats: int) -> float:
        times = []
        for _ in range(repeats):
            distances = torch.rand(1, 50, 50, requires_grad=True)
            start = time.process_time()
            matcher(distances).square().sum().backward()
            times.append(time.process_time() - start)
        return min(times)

    try:
        assert 30 * seconds(InteriorPoint(), 5) < seconds(DHN().eval(), 1)
    finally:
        torch.set_num_threads(threads)
    assert not list(InteriorPoint().parameters())
