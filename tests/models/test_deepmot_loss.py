"""The DeepMOT loss against motmetrics, values worked by hand, and naive loops."""

import math

import pytest
import torch
from deepmot_clips import by_motmetrics, clip_of, exact

from mmdeepmot.models.losses import (
    DeepMOTLoss,
    DeepMOTOptions,
    DeepMOTTerms,
    MatchHistory,
    box_distance,
    deepmot_loss,
)
from mmdeepmot.models.losses.deepmot_counts import gated
from mmdeepmot.models.losses.deepmot_history import hard_matches
from mmdeepmot.registry import MODELS

X = None
STAY = [0.0, 1.0, 2.0, 3.0]
FAR = [50.0, 51.0, 52.0, 53.0]

# name: objects, tracks, (FP, FN, IDS) in CLEAR's meaning, IDS of Eq. 6 as printed.
CASES = {
    "perfect": ({1: STAY, 2: FAR}, {7: STAY, 8: FAR}, (0, 0, 0), 0),
    "a miss": ({1: STAY, 2: FAR}, {7: STAY, 8: [50, 51, X, X]}, (0, 2, 0), 0),
    "a false alarm": ({1: STAY}, {7: STAY, 8: [X, X, 80, 90]}, (2, 0, 0), 0),
    "a drifted box": ({1: STAY}, {7: [0, 1, 8, 3]}, (1, 1, 0), 1),  # printed: found again
    "inexact boxes": ({1: STAY, 2: FAR}, {7: [1, 0, 3, 2], 8: [50, 54, 50, 53]}, (0, 0, 0), 0),
    # A new track takes over: a switch, but its row is new and copied in Eq. 6 as printed.
    "a switch to a new track": ({1: STAY}, {7: [0, 1, X, X], 8: [X, X, 2, 3]}, (0, 0, 1), 0),
    "a switch to a known track": (
        {1: STAY, 2: [50, 51, X, X]}, {7: [0, 1, X, X], 8: [50, 51, 2, 3]}, (0, 0, 1), 1,
    ),
    "a swap": ({1: STAY, 2: FAR}, {7: [0, 1, 52, 53], 8: [50, 51, 2, 3]}, (0, 0, 2), 2),
    "a swap and back": ({1: STAY, 2: FAR}, {7: [0, 51, 2, 3], 8: [50, 1, 52, 53]}, (0, 0, 4), 4),
    "found again by its own track": ({1: STAY}, {7: [0, X, X, 3]}, (0, 2, 0), 0),
    # The same with a track that exists between: its row is known and its column was empty.
    "found again by its own track, which strayed": (
        {1: STAY}, {7: [0, 80, 80, 3]}, (2, 2, 0), 1,
    ),
    "found again by another": ({1: STAY}, {7: [0, X, X, X], 8: [X, X, X, 3]}, (0, 2, 1), 0),
    "found late, for the first time": ({1: STAY}, {7: [90, 90, 2, 3]}, (2, 2, 0), 1),
    "an object returns to another track": (
        {1: [0, X, X, 3], 2: FAR}, {7: [0, X, X, X], 8: [50, 51, 52, 3], 9: [X, X, X, 53]},
        (0, 0, 2), 0,
    ),
    "a new object where its track waited": (
        {1: STAY, 2: [X, X, 52, 53]}, {7: STAY, 8: FAR}, (2, 0, 0), 0,
    ),
    "a track goes from one object to the next": (
        {1: [0, 1, X, X], 2: [X, X, 52, 53]}, {7: [0, 1, 52, 53]}, (0, 0, 0), 0,
    ),
    "no track in a frame": ({1: STAY}, {7: [0, X, 2, 3]}, (0, 1, 0), 0),
    "no object in a frame": ({1: [0, X, 2, 3]}, {7: STAY}, (1, 0, 0), 0),
    "neither": ({1: [0, X, X, 3]}, {7: [0, X, X, 3]}, (0, 0, 0), 0),
    "no track at all": ({1: STAY}, {7: [X, X, X, X]}, (0, 4, 0), 0),
}  # fmt: skip


def evaluate(*tensors, **given) -> tuple[DeepMOTTerms, MatchHistory]:
    """``deepmot_loss`` with its options among the keywords."""
    masks = {name: given.pop(name, None) for name in ("row_mask", "col_mask", "matches")}
    return deepmot_loss(*tensors, **masks, options=DeepMOTOptions(**given))


def counts(terms) -> list[float]:
    return [value.sum().item() for value in (terms.false_positives, terms.misses, terms.switches)]


@pytest.mark.parametrize("name", CASES)
def test_sharp_counts_are_those_of_motmetrics_and_by_hand(name):
    objects, tracks, by_hand, _ = CASES[name]
    distances, assignment, rows, columns = clip_of(objects, tracks)
    terms, _ = evaluate(distances, assignment, rows, columns, gamma=1, sharpness=1000)
    oracle = by_motmetrics(distances, rows, columns)
    assert counts(terms) == pytest.approx(by_hand, abs=1e-9)
    assert counts(terms) == pytest.approx([oracle["fp"], oracle["fn"], oracle["ids"]], abs=1e-9)
    assert terms.dmota.item() == pytest.approx(oracle["mota"], abs=1e-9)
    if terms.num_matches.sum():
        assert 1 - terms.dmotp.item() == pytest.approx(oracle["motp"], abs=1e-9)
    else:
        assert math.isnan(oracle["motp"]) and terms.dmotp.item() == 1


@pytest.mark.parametrize("name", CASES)
def test_literal_switches_are_those_of_equation_6(name):
    objects, tracks, by_hand, literal = CASES[name]
    clip = clip_of(objects, tracks)
    terms, _ = evaluate(*clip, sharpness=1000, switches="literal")
    assert counts(terms) == pytest.approx([*by_hand[:2], literal], abs=1e-9)


def test_soft_values_by_hand():
    # One frame, two tracks, two objects; the second object is new, the first was track 9's.
    distances = torch.tensor([[[0.1, 0.6], [0.7, 0.2]]], dtype=torch.float64)
    assignment = torch.tensor([[[0.9, 0.2], [0.3, 0.6]]], dtype=torch.float64)
    past = torch.tensor([[1]]), torch.tensor([[9]]), torch.tensor([[9]])
    terms, _ = evaluate(
        distances, assignment, torch.tensor([[5, 6]]), torch.tensor([[1, 2]]),
        MatchHistory(*past), delta=0.5, gamma=2, sharpness=2, precision_weight=5,
    )  # fmt: skip
    e = math.exp
    fp = e(1) / (e(1.8) + e(0.4) + e(1)) + e(1) / (e(0.6) + e(1.2) + e(1))
    fn = e(1) / (e(1.8) + e(0.6) + e(1)) + e(1) / (e(0.4) + e(1.2) + e(1))
    first = (e(1.8) + e(0.6)) / (e(1.8) + e(0.6) + e(1))  # both rows are not track 9
    second = e(0.4) / (e(0.4) + e(1.2) + e(1))  # new: all but its match
    assert counts(terms) == pytest.approx([fp, fn, first + second])
    dmota = 1 - (fp + fn + 2 * (first + second)) / 2
    assert terms.dmota.item() == pytest.approx(dmota)
    assert terms.dmotp.item() == pytest.approx(1 - (0.1 + 0.2) / 2)
    assert terms.loss.item() == pytest.approx(1 - dmota + 5 * 0.15)


def test_the_printed_softmax_cannot_count():
    """Why there is a sharpness: the figures of the module's docstring."""
    distances = torch.full((1, 1, 10), 0.5)
    ids = torch.zeros(1, 1, dtype=torch.int64), torch.arange(10)[None]
    sure = torch.zeros(1, 1, 10)
    alone, _ = evaluate(distances, sure, *ids, sharpness=1)
    assert alone.false_positives.item() == pytest.approx(0.14, abs=0.005)
    sure[0, 0, 3] = 1
    matched, _ = evaluate(distances, sure, *ids, sharpness=1)
    assert matched.false_positives.item() == pytest.approx(0.12, abs=0.005)


def random_clip(seed: int, frames: int = 6, tracks: int = 5, objects: int = 4):
    """Soft assignments, identities that come and go in changing rows and columns."""
    generator = torch.Generator().manual_seed(seed)

    def ids(count: int) -> torch.Tensor:
        order = torch.rand((frames, count + 2), generator=generator).argsort(dim=1)[:, :count]
        return order.masked_fill(torch.rand((frames, count), generator=generator) < 0.25, -1)

    distances = torch.rand((frames, tracks, objects), generator=generator, dtype=torch.float64)
    distances[torch.rand(distances.shape, generator=generator) < 0.2] = math.inf
    rows, columns = ids(tracks), ids(objects)
    best = exact(distances, rows, columns)
    noise = torch.rand(best.shape, generator=generator, dtype=torch.float64)
    return distances, 0.4 * best + 0.6 * noise, rows, columns


def naive(distances, assignment, rows, columns, rule: str, delta=0.5, s=10.0):
    """Frame by frame, pair by pair, with dictionaries."""
    partner: dict[int, int] = {}
    before: tuple[dict[int, int], set[int], set[int]] = ({}, set(), set())
    out = []
    for D, A, track_ids, object_ids in zip(distances, assignment, rows, columns, strict=True):
        track_ids, object_ids = track_ids.tolist(), object_ids.tolist()
        there_n = [n for n, i in enumerate(track_ids) if i >= 0]
        there_m = [m for m, i in enumerate(object_ids) if i >= 0]
        pairs = {(n, m): A[n, m].item() for n in there_n for m in there_m if D[n, m] <= 1}
        matches = {
            (n, m)
            for (n, m), a in pairs.items()
            if a > delta
            and a == max(v for (i, _), v in pairs.items() if i == n)
            and a == max(v for (_, j), v in pairs.items() if j == m)
        }
        own = math.exp(s * delta)
        weight = {pair: math.exp(s * a) for pair, a in pairs.items()}
        fp = sum(own / (own + sum(w for (i, _), w in weight.items() if i == n)) for n in there_n)
        fn = sum(own / (own + sum(w for (_, j), w in weight.items() if j == m)) for m in there_m)
        ids = 0.0
        for (n, m), w in weight.items():
            track, obj = track_ids[n], object_ids[m]
            if rule == "clear":
                other = partner[obj] != track if obj in partner else (n, m) not in matches
            elif obj in before[1] and track in before[2]:
                other = before[0].get(obj) != track
            else:
                other = (n, m) not in matches
            ids += other * w / (own + sum(v for (_, j), v in weight.items() if j == m))
        current = {object_ids[m]: track_ids[n] for n, m in matches}
        partner.update(current)
        before = (current, {object_ids[m] for m in there_m}, {track_ids[n] for n in there_n})
        out.append((fp, fn, ids))
    return torch.tensor(out, dtype=torch.float64).T


@pytest.mark.parametrize("rule", ["clear", "literal"])
@pytest.mark.parametrize("seed", range(5))
def test_counts_equal_naive_loops(seed, rule):
    clip = random_clip(seed)
    terms, _ = evaluate(*clip, switches=rule)
    found = torch.stack((terms.false_positives, terms.misses, terms.switches))
    torch.testing.assert_close(found, naive(*clip, rule))


@pytest.mark.parametrize("rule", ["clear", "literal"])
@pytest.mark.parametrize("pieces", [[1] * 6, [2, 3, 1], [0, 6], [4, 2]])
def test_pieces_with_carried_history_equal_the_whole_clip(pieces, rule):
    clip = random_clip(11)
    whole, whole_history = evaluate(*clip, switches=rule)
    history, found = None, []
    for piece in zip(*(tensor.split(pieces) for tensor in clip), strict=True):
        terms, history = evaluate(*piece, history, switches=rule)
        found.append(terms)
    for name in ("false_positives", "misses", "switches", "num_objects", "num_matches"):
        torch.testing.assert_close(
            torch.cat([getattr(terms, name) for terms in found]), getattr(whole, name)
        )
    if rule == "clear":  # the order of the objects may differ
        order, whole_order = history.object_ids[0].argsort(), whole_history.object_ids[0].argsort()
        assert torch.equal(history.object_ids[0, order], whole_history.object_ids[0, whole_order])
        assert torch.equal(history.partner_ids[0, order], whole_history.partner_ids[0, whole_order])


@pytest.mark.parametrize("rule", ["clear", "literal"])
def test_padded_batch_equals_one_by_one(rule):
    sizes = [(6, 5, 4), (3, 2, 7), (1, 0, 3), (4, 3, 0), (2, 0, 0)]
    clips = [random_clip(seed, *size) for seed, size in enumerate(sizes)]
    T, N, M = (max(size[axis] for size in sizes) for axis in range(3))
    distances = torch.full((len(sizes), T, N, M), math.nan, dtype=torch.float64)
    assignment = torch.full_like(distances, 0.9)
    rows = torch.full((len(sizes), T, N), -1)
    columns = torch.full((len(sizes), T, M), -1)
    for index, ((t, n, m), clip) in enumerate(zip(sizes, clips, strict=True)):
        distances[index, :t, :n, :m], assignment[index, :t, :n, :m] = clip[:2]
        rows[index, :t, :n], columns[index, :t, :m] = clip[2:]
    batch, _ = evaluate(distances, assignment, rows, columns, switches=rule)
    for index, clip in enumerate(clips):
        alone, _ = evaluate(*clip, switches=rule)
        for name in ("loss", "dmota", "dmotp"):
            torch.testing.assert_close(getattr(batch, name)[index], getattr(alone, name))
        torch.testing.assert_close(batch.switches[index, : len(clip[0])], alone.switches)
        assert not batch.switches[index, len(clip[0]) :].any()


def test_order_of_rows_and_columns_does_not_matter():
    distances, assignment, rows, columns = random_clip(3)
    before, _ = evaluate(distances, assignment, rows, columns)
    n, m = torch.randperm(rows.shape[1]), torch.randperm(columns.shape[1])
    after, _ = evaluate(
        distances[:, n][..., m], assignment[:, n][..., m], rows[:, n], columns[:, m]
    )
    torch.testing.assert_close(after.loss, before.loss)
    torch.testing.assert_close(after.switches, before.switches)


def test_masks_say_who_is_there_and_ids_who_it_is():
    # Three frames: a track without identity on an object, which the CLEAR rule then forgets.
    distances = torch.zeros(3, 1, 1)
    sure = torch.ones(3, 1, 1)
    there = torch.ones(3, 1, dtype=torch.bool)
    rows, columns = torch.tensor([[4], [-1], [5]]), torch.tensor([[1], [1], [1]])
    terms, _ = evaluate(distances, sure, rows, columns, row_mask=there, sharpness=1000)
    assert terms.switches.tolist() == [0, 0, 1]
    assert counts(terms)[:2] == [0, 0]
    terms, _ = evaluate(distances, sure, rows, columns, sharpness=1000)
    assert counts(terms) == [0, 1, 1]
    absent = torch.tensor([[True], [True], [False]])
    terms, _ = evaluate(
        distances, sure, rows, columns, row_mask=there, col_mask=absent, sharpness=1000
    )
    assert counts(terms) == [1, 0, 0]
    unnamed = torch.full_like(columns, -1)
    terms, _ = evaluate(
        distances, sure, rows, unnamed, row_mask=there, col_mask=there, sharpness=1000
    )
    assert counts(terms) == [0, 0, 0]


def test_a_history_can_be_given_by_identities():
    """Tracks initialised at the ground truth: the frame before the clip is known."""
    ids = torch.tensor([[3, 4]])
    crossed = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
    for rule in ("clear", "literal"):
        terms, _ = evaluate(
            1 - crossed, crossed, ids, ids, MatchHistory(ids, ids, ids),
            sharpness=1000, switches=rule,
        )  # fmt: skip
        assert counts(terms) == [0, 0, 2]
        terms, _ = evaluate(1 - crossed, crossed, ids, ids, sharpness=1000, switches=rule)
        assert counts(terms) == [0, 0, 0]


def test_matches_are_mutual_bests_above_delta():
    soft = torch.tensor([[0.6, 0.9, 0.0], [0.8, 0.7, 0.2], [0.1, 0.1, 0.5]])
    valid = torch.ones(3, 3, dtype=torch.bool)
    expected = torch.tensor([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=torch.bool)
    assert torch.equal(hard_matches(soft, valid), expected)
    # 0.7 is its column's best once 0.9 does not exist, but not its row's.
    valid[0, 1] = False
    assert hard_matches(soft, valid).nonzero().tolist() == [[1, 0]]
    equal = torch.full((2, 2), 0.7)
    assert hard_matches(equal, torch.ones(2, 2, dtype=torch.bool)).nonzero().tolist() == [[0, 0]]


def test_given_matches_replace_those_of_the_assignment():
    distances, assignment, rows, columns = random_clip(2)
    found, _ = evaluate(distances, assignment, rows, columns)
    given = exact(distances, rows, columns).bool()
    other, _ = evaluate(distances, assignment, rows, columns, matches=given)
    assert torch.equal(other.num_matches, given.sum(dim=(1, 2)))
    assert not torch.equal(other.switches, found.switches)
    expected = 1 - distances[given].mean()
    torch.testing.assert_close(other.dmotp, expected)


def test_a_forbidden_pair_is_no_match_whatever_the_matcher_says():
    ids = torch.tensor([[0]])
    for forbidden in (1.01, 60000.0, math.inf):
        distances = torch.full((1, 1, 1), forbidden, requires_grad=True)
        sure = torch.ones(1, 1, 1, requires_grad=True)
        terms, _ = evaluate(distances, sure, ids, ids)
        terms.loss.backward()
        assert counts(terms) == [1, 1, 0] and terms.dmotp == 1 and terms.num_matches == 0
        assert not distances.grad.any() and not sure.grad.any()


@pytest.mark.parametrize("shape", [(0, 3, 2), (2, 0, 3), (2, 3, 0), (2, 0, 0), (0, 0, 0)])
@pytest.mark.parametrize("rule", ["clear", "literal"])
def test_nothing_to_count(shape, rule):
    T, N, M = shape
    distances = torch.zeros(shape, requires_grad=True)
    rows, columns = torch.arange(N).expand(T, -1), torch.arange(M).expand(T, -1)
    terms, history = evaluate(distances, 1 - distances, rows, columns, switches=rule)
    terms.loss.backward()
    assert terms.switches.tolist() == [0] * T
    assert terms.false_positives.tolist() == [N] * T and terms.misses.tolist() == [M] * T
    assert terms.dmota.item() == 1 - T * (N + M) / max(T * M, 1)
    assert terms.dmotp.item() == 1 and torch.isfinite(distances.grad).all()
    evaluate(distances, 1 - distances, rows, columns, history, switches=rule)


@pytest.mark.parametrize(
    "options",
    [
        {"switches": "clear"},
        {"switches": "literal"},
        {"gate": 0.4, "gate_width": 0.1},
        {"precise_over": "kept"},
    ],
    ids=lambda options: next(iter(options)) + str(next(iter(options.values()))),
)
@pytest.mark.parametrize("sharpness", [1.0, 20.0])
def test_gradcheck(sharpness, options):
    distances, assignment, rows, columns = random_clip(7, 2, 3, 3)
    distances = distances.clamp(max=0.9)  # no pair on the edge of being forbidden
    distances.requires_grad_(), assignment.requires_grad_()

    def loss(d, a):
        return evaluate(d, a, rows, columns, sharpness=sharpness, **options)[0].loss

    assert torch.autograd.gradcheck(loss, (distances, assignment))


def test_gradcheck_from_the_boxes_on():
    """Distance, matcher, gate and loss in one; the tracks of the second frame are off theirs."""
    rng = torch.Generator().manual_seed(0)
    objects = torch.tensor([[10.0, 10, 30, 60], [40, 12, 60, 64]], dtype=torch.float64)
    objects = objects.expand(2, 2, 4)
    noise = 6 * torch.rand(2, 2, 4, generator=rng, dtype=torch.float64)
    tracks = (objects + noise).requires_grad_()
    matcher = MODELS.build(dict(type="Sinkhorn", temperature=0.1, slack=0.25))
    ids = torch.arange(2).expand(2, 2)

    def loss(boxes):
        distances = box_distance(boxes, objects, (100, 80))
        return evaluate(distances, matcher(distances), ids, ids, gate=0.4)[0].loss

    assert torch.autograd.gradcheck(loss, (tracks,))


@pytest.mark.parametrize(
    "matcher",
    [
        dict(type="Sinkhorn", temperature=0.05),
        dict(type="InteriorPoint"),
        dict(type="InteriorPoint", slack=0.14),
        dict(type="DHN", hidden=8, num_layers=1, widths=(16, 8)),
    ],
    ids=lambda matcher: "-".join(map(str, matcher.values())),
)
@pytest.mark.parametrize("gate", [None, 0.25])
def test_degenerate_boxes_have_finite_gradients_through_matcher_and_loss(matcher, gate):
    """Points, lines, inside out, on one another, far away."""
    tracks = torch.tensor(
        [[10.0, 10, 10, 10], [10, 10, 10, 40], [20, 40, 10, 10], [5, 5, 15, 30], [5, 5, 15, 30],
         [1e6, 1e6, 1e6 + 9, 1e6 + 9]]
    ).expand(2, 6, 4).clone().requires_grad_()  # fmt: skip
    objects = torch.tensor([[10.0, 10, 20, 40], [15, 20, 15, 20], [5, 5, 15, 30]]).expand(2, 3, 4)
    distances = box_distance(tracks, objects, (100, 80))
    assignment = MODELS.build(matcher)(distances)
    ids = torch.arange(6).expand(2, 6), torch.arange(3).expand(2, 3)
    terms, _ = evaluate(distances, assignment, *ids, gate=gate)
    terms.loss.backward()
    assert torch.isfinite(terms.loss) and torch.isfinite(tracks.grad).all()
    assert tracks.grad.any()


def test_gradients_are_finite_in_single_precision_at_any_sharpness():
    for sharpness in (1.0, 20.0, 100.0, 1e4):
        distances, assignment, rows, columns = (
            tensor.float() if tensor.is_floating_point() else tensor for tensor in random_clip(5)
        )
        assignment.requires_grad_()
        terms, _ = evaluate(distances, assignment, rows, columns, sharpness=sharpness)
        terms.loss.backward()
        assert torch.isfinite(terms.loss) and torch.isfinite(assignment.grad).all()


def test_half_precision_counts_as_single():
    distances, assignment, rows, columns = random_clip(4)
    whole, _ = evaluate(distances.float(), assignment.float(), rows, columns)
    with torch.autocast("cpu", torch.bfloat16):
        half, _ = evaluate(distances.bfloat16(), assignment.bfloat16(), rows, columns)
    assert half.loss.dtype == torch.float32
    torch.testing.assert_close(half.loss, whole.loss, rtol=0.05, atol=0)


def test_module_says_what_to_add_up_and_what_to_log():
    loss = MODELS.build(dict(type="DeepMOTLoss", gamma=1.5, precision_weight=3.0))
    assert isinstance(loss, DeepMOTLoss)
    clips = [random_clip(seed) for seed in (0, 1)]
    batch = [torch.stack(tensors) for tensors in zip(*clips, strict=True)]
    values, _ = loss(*batch)
    each = [evaluate(*clip, gamma=1.5, precision_weight=3.0)[0] for clip in clips]
    total = sum(value for name, value in values.items() if "loss" in name)
    torch.testing.assert_close(total, torch.stack([terms.loss for terms in each]).mean())
    for name, term in {"fp": "false_positives", "fn": "misses", "ids": "switches"}.items():
        mean = torch.stack([getattr(terms, term).sum() for terms in each]).mean()
        torch.testing.assert_close(values[name], mean)
    assert set(values) == {
        "loss_dmota", "loss_dmotp", "dmota", "dmotp", "fp", "fn", "ids", "matches",
    }  # fmt: skip
    nothing, _ = loss(*(tensor[:0] for tensor in batch))
    assert all(value == 0 for value in nothing.values())


def test_terms_can_be_switched_off():
    clip = random_clip(0)
    full, _ = evaluate(*clip)
    without, _ = evaluate(*clip, gamma=0)
    errors = full.false_positives.sum() + full.misses.sum()
    torch.testing.assert_close(without.dmota, 1 - errors / full.num_objects.sum())
    only, _ = evaluate(*clip, accuracy_weight=0)
    torch.testing.assert_close(only.loss, 5 * (1 - full.dmotp))
    only, _ = evaluate(*clip, precision_weight=0)
    torch.testing.assert_close(only.loss, 1 - full.dmota)


def test_precision_over_kept_matches_leaves_switches_out():
    ids = torch.tensor([[3, 4, 5]])
    assignment = torch.tensor([[[0, 1, 0], [1, 0, 0], [0, 0, 1]]], dtype=torch.float64)
    distances = torch.tensor([[[0.5, 0.2, 1], [0.1, 0.5, 1], [1, 1, 0.3]]], dtype=torch.float64)
    past = MatchHistory(ids, ids, ids)
    whole, _ = evaluate(distances, assignment, ids, ids, past)
    assert whole.dmotp.item() == pytest.approx(1 - (0.2 + 0.1 + 0.3) / 3)
    kept, _ = evaluate(distances, assignment, ids, ids, past, precise_over="kept")
    assert kept.dmotp.item() == pytest.approx(1 - 0.3)
    assert kept.num_matches.tolist() == [3] and kept.dmota == whole.dmota
    unknown, _ = evaluate(distances, assignment, ids, ids, precise_over="kept")
    assert unknown.dmotp == whole.dmotp


def test_gate_fades_far_pairs_and_draws_them_back():
    distances = torch.tensor([0.05, 0.25, 0.5, math.inf], requires_grad=True)
    found = gated(torch.ones(4), distances, 0.25, 0.05)
    expected = [1 / (1 + math.exp(-4)), 0.5, 1 / (1 + math.exp(5)), 0]
    assert found.tolist() == pytest.approx(expected)
    found.sum().backward()
    assert (distances.grad[:3] < 0).all() and distances.grad[3] == 0
    # A sure match of a far pair: without a gate a match, with one a false alarm and a miss.
    ids = torch.tensor([[0]])
    far, sure = torch.full((1, 1, 1), 0.6), torch.ones(1, 1, 1)
    assert counts(evaluate(far, sure, ids, ids, sharpness=100)[0]) == pytest.approx([0, 0, 0])
    assert counts(evaluate(far, sure, ids, ids, sharpness=100, gate=0.25)[0]) == pytest.approx(
        [1, 1, 0]
    )


def test_errors_name_what_is_wrong():
    distances, assignment, rows, columns = random_clip(0)
    with pytest.raises(ValueError, match=r"got \(6, 5, 4\), \(6, 5, 4\), \(6, 4\) and \(6, 5\)"):
        evaluate(distances, assignment, columns, rows)
    twice = rows.clone()
    twice[2, :2] = 3
    with pytest.raises(
        ValueError, match=r"row_ids .* identity 3 more than once in frame 2 of clip"
    ):
        evaluate(distances, assignment, twice, columns)
    with pytest.raises(ValueError, match=r"col_ids must be int64, got torch\.float"):
        evaluate(distances, assignment, rows, columns.float())
    with pytest.raises(ValueError, match=r"row_mask must be bool \(1, 6, 5\), got torch\.int64"):
        evaluate(distances, assignment, rows, columns, row_mask=rows)
    with pytest.raises(ValueError, match=r"the history is of 2 clips, the batch has 1"):
        evaluate(distances, assignment, rows, columns, MatchHistory.empty(2))
    with pytest.raises(ValueError, match=r"object_ids \(B, K\).*\(1, 2\), \(1, 3\)"):
        ids = torch.zeros(1, 3, dtype=torch.int64)
        evaluate(distances, assignment, rows, columns, MatchHistory(ids[:, :2], ids, ids))
    for wrong, message in {
        "delta": (1.5, "delta must lie between 0 and 1, got 1.5"),
        "sharpness": (0, "sharpness must be above 0, got 0"),
        "gamma": (-1, "gamma must not be negative, got -1"),
        "precision_weight": (math.nan, "precision_weight must not be negative, got nan"),
        "gate": (25, r"gate must be a distance in \(0, 1\] or None, got 25"),
        "gate_width": (0, "gate_width must be above 0, got 0"),
        "precise_over": ("kept ", r"one of \('matches', 'kept'\), got 'kept '"),
        "switches": ("CLEAR", r"switches must be one of \('clear', 'literal'\), got 'CLEAR'"),
    }.items():
        with pytest.raises(ValueError, match=message[1]):
            DeepMOTLoss(**{wrong: message[0]})


def test_descent_through_distances_alone_raises_dmotp():
    """The sign of Eq. 8: boxes that come nearer raise dMOTP and lower the loss."""
    objects = torch.tensor([[[0.0, 0, 10, 20]]], dtype=torch.float64)
    tracks = (objects + 3).requires_grad_()
    ids = torch.tensor([[0]])
    before, _ = evaluate(box_distance(tracks, objects, (64, 48)), torch.ones(1, 1, 1), ids, ids)
    before.loss.backward()
    after, _ = evaluate(
        box_distance(tracks - tracks.grad, objects, (64, 48)), torch.ones(1, 1, 1), ids, ids
    )
    assert after.dmotp > before.dmotp and after.loss < before.loss
