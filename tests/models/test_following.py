"""A follower led through scripted clips: who is followed, what counts, where gradients go."""

import math
from dataclasses import fields

import pytest
import torch
from torch import Tensor

from mmdeepmot.models.mot import Follower, Found, Targets
from mmdeepmot.models.mot.following import LeadRules, TrueFrame, lead
from mmdeepmot.models.mot.repeated_starts import repeated, separated

STEP = 2.0
DEFAULT = LeadRules()


class Drift(Follower):
    """Moves every target by 2 px and a parameter; gives up the identities in ``gives_up``."""

    def __init__(self, gives_up: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.shift = torch.nn.Parameter(torch.zeros(()))
        self.gives_up = torch.tensor(gives_up, dtype=torch.int64)
        self.starts: list[tuple[int, list[int]]] = []

    def start(self, image: int, boxes: Tensor, ids: Tensor) -> Targets:
        self.starts.append((image, ids.tolist()))
        return Targets.at(image, boxes, ids)

    def advance(self, image: int, targets: Targets) -> tuple[Found, Targets]:
        boxes = targets.near + STEP + self.shift
        valid = ~torch.isin(targets.ids, self.gives_up)
        found = Found(boxes, torch.full((len(boxes),), 0.5), targets.ids, valid)
        return found, targets.moved(image, boxes)

    def embed(self, image: int, boxes: Tensor) -> Tensor:
        angle = boxes[:, 0] * (1 + self.shift) / 100
        return torch.stack((angle.cos(), angle.sin()), dim=1)


class Detector(Drift):
    """Also sees boxes that continue no one, at 50 and at 80."""

    def advance(self, image: int, targets: Targets) -> tuple[Found, Targets]:
        found, after = super().advance(image, targets)
        more = box(50, 80)
        rows = Found(
            torch.cat((found.boxes, more)),
            torch.cat((found.scores, torch.ones(2))),
            torch.cat((found.row_ids, torch.tensor([-1, -1]))),
            torch.cat((found.valid, torch.ones(2, dtype=torch.bool))),
        )
        return rows, after


def box(*lefts: float) -> Tensor:
    """Boxes of 10 x 10 px on the diagonal."""
    left = torch.tensor(lefts, dtype=torch.float32)[:, None]
    return torch.cat((left, left, left + 10, left + 10), dim=1)


def here(people: dict[int, float], neutral: tuple[float, ...] = ()) -> TrueFrame:
    """People by identity (-1: none) and where they stand."""
    ids = torch.tensor(list(people), dtype=torch.int64)
    return TrueFrame.of(box(*people.values()), ids, box(*neutral) if neutral else None)


def same(boxes: Tensor) -> Tensor:
    return boxes


def places(frames) -> list[dict[int, float]]:
    return [
        dict(zip(one.row_ids.tolist(), one.boxes[:, 0].tolist(), strict=True)) for one in frames
    ]


def walk(follower: Follower, truth: list[TrueFrame], rules: LeadRules = DEFAULT, **more):
    return lead(follower, range(len(truth)), truth, more.pop("perturb", same), rules, **more)


def test_people_come_and_go():
    follower = Drift()
    truth = [here({0: 10, 1: 40}), here({0: 12, 2: 70}), here({2: 71, 0: 13}), here({})]
    frames = walk(follower, truth)
    # 1 has left and is no false alarm; 2 counts as found where it appears, and is followed then
    assert places(frames) == [{0: 12, 2: 70}, {0: 14, 2: 72}, {}]
    assert follower.starts == [(0, [0, 1]), (1, [2])]
    assert [one.object_ids.tolist() for one in frames] == [[0, 2], [2, 0], []]
    assert frames[0].scores.tolist() == [0.5, 1]
    assert [tuple(one.objects.shape) for one in frames] == [(2, 4), (2, 4), (0, 4)]


def test_nobody_at_first_and_for_ever():
    follower = Drift()
    assert places(walk(follower, [here({}), here({4: 20}), here({4: 22})])) == [{4: 20}, {4: 22}]
    empty = walk(follower, [here({})] * 3)
    assert [tuple(one.boxes.shape) for one in empty] == [(0, 4)] * 2


def test_without_births_and_deaths():
    follower = Drift()
    truth = [here({0: 10, 1: 40}), here({0: 12, 2: 70}), here({2: 71})]
    frames = walk(follower, truth, LeadRules(births=False, deaths=False))
    assert places(frames) == [{0: 12, 1: 42}, {0: 14, 1: 44}]
    assert follower.starts == [(0, [0, 1])]


def test_who_was_given_up_is_missed_and_followed_anew():
    follower = Drift(gives_up=(1,))
    frames = walk(follower, [here({0: 10, 1: 40})] * 3)
    assert places(frames) == [{0: 12}, {0: 14}]
    assert follower.starts == [(0, [0, 1]), (1, [1]), (2, [1])]


def test_what_has_no_identity_is_neither_rewarded_nor_punished():
    # 80 is a person without identity, 50 an ignored box (its overlap with 51 is 0.68)
    neutral = here({0: 10, -1: 80}, neutral=(51,))
    assert places(walk(Detector(), [neutral, neutral])) == [{0: 12}]
    assert walk(Detector(), [neutral, neutral])[0].object_ids.tolist() == [0]
    # rows on nothing count, and one that continues an object of the frame does wherever it is
    frames = walk(Detector(), [here({0: 10}), here({0: 12}, neutral=(12, 80))])
    assert frames[0].row_ids.tolist() == [0, -1]
    assert frames[0].boxes[:, 0].tolist() == [12, 50]


def test_tracks_start_at_perturbed_boxes_in_px():
    frames = walk(Drift(), [here({0: 10}), here({0: 12, 1: 50}), here({0: 14, 1: 52})],
                  perturb=lambda boxes: boxes + 3)  # fmt: skip
    assert places(frames) == [{0: 15, 1: 50}, {0: 17, 1: 55}]


@pytest.mark.parametrize(("through_time", "expected"), [(False, 1), (True, 3)])
def test_gradients_flow_into_earlier_frames_only_if_asked(through_time, expected):
    follower = Drift()
    frames = walk(follower, [here({0: 10})] * 4, LeadRules(through_time=through_time))
    frames[-1].boxes[0, 0].backward()
    assert follower.shift.grad == expected


def test_the_camera_says_where_to_look():
    moves = [None, lambda boxes: boxes + 20, None]
    frames = walk(Drift(), [here({0: 10})] * 3, cameras=moves)
    assert places(frames) == [{0: 32}, {0: 34}]


def test_looks_of_the_past_and_of_the_objects():
    follower = Drift()
    truth = [here({0: 10}), here({0: 16, 1: 40}), here({1: 44, 0: 20})]
    first, second = walk(follower, truth, LeadRules(embed=True))

    def look(*lefts: float) -> Tensor:
        return follower.embed(0, box(*lefts))

    # the row of 0 is at 12 and 14; it is known from 10, then from 10 and 12
    past = torch.cat((look(10), look(40)))  # who appears looks as it is
    torch.testing.assert_close(first.embeddings, past)
    torch.testing.assert_close(first.object_embeddings, look(16, 40))
    past = torch.cat((look(10, 12).mean(dim=0, keepdim=True), look(40)))
    torch.testing.assert_close(second.embeddings, past)
    torch.testing.assert_close(second.object_embeddings, look(44, 20))
    (gradient,) = torch.autograd.grad(first.object_embeddings[0, 0], follower.shift)
    assert gradient.item() == pytest.approx(-0.16 * math.sin(0.16))
    later = walk(follower, truth[:1] * 3, LeadRules(embed=True, through_time=True))[1].embeddings
    assert torch.autograd.grad(later.sum(), follower.shift)[0] != 0


def test_several_starts_at_once_are_as_one_after_another():
    times = 3
    truth = [
        here({4: 10, 0: 40}),
        here({2: 70, 0: 42}, neutral=(50,)),
        here({0: 45, 2: 72}),
        here({}),
    ]
    rules = LeadRules(embed=True)

    def apart(boxes: Tensor) -> Tensor:
        each = len(boxes) // times
        return boxes + torch.arange(times).repeat_interleave(each)[:, None]

    follower = Detector(gives_up=(6, 7, 8))  # the three of 2
    frames = walk(follower, repeated(truth, times), rules, perturb=apart)
    together = separated(frames, times)
    assert together[2][0].row_ids.tolist() == [0, -1, 2]  # 80 alone: 50 is ignored
    for copy, clip in enumerate(together):
        alone = Detector(gives_up=(2,))
        one = walk(alone, truth, rules, perturb=lambda boxes, by=copy: boxes + by)
        for got, expected in zip(clip, one, strict=True):
            for name in (field.name for field in fields(got)):
                torch.testing.assert_close(getattr(got, name), getattr(expected, name))
        both = [clip[1].boxes.sum(), one[1].boxes.sum()]
        slopes = [torch.autograd.grad(total, drift.shift, retain_graph=True)[0]
                  for total, drift in zip(both, (follower, alone), strict=True)]  # fmt: skip
        assert slopes[0] == slopes[1] == 4


def test_one_start_is_as_it_was():
    frames = walk(Drift(), repeated([here({0: 10, 1: 40}), here({1: 42})], 1))
    assert places(frames) == [{1: 42}]
    assert separated(frames, 1) == [frames]
