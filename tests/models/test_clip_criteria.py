"""Criteria of clips: values by hand, padding, appearances, gradients."""

import math

import pytest
import torch
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.losses import DeepMOTCriterion, SmoothL1Criterion
from mmdeepmot.models.losses.clip_criteria import appearance_distance, box_deltas
from mmdeepmot.models.losses.clip_rows import ClipRows, FrameRows, pad_clips
from mmdeepmot.models.matchers import DHN

SIZES = torch.tensor([[300.0, 400.0]])
HUNGARIAN = dict(type="Hungarian")
SHARP = dict(type="DeepMOTLoss", sharpness=100.0)


def boxes(*lefts: float) -> Tensor:
    """Boxes of 20 x 40 px at the top."""
    left = torch.tensor(lefts, dtype=torch.float32)[:, None]
    return torch.cat((left, left * 0, left + 20, left * 0 + 40), dim=1)


def ids(*values: int) -> Tensor:
    return torch.tensor(values, dtype=torch.int64)


def frame(rows: dict[int, float], objects: dict[int, float], **looks: Tensor) -> FrameRows:
    """Rows and objects by identity, and where their left edges are."""
    return FrameRows(
        boxes(*rows.values()), torch.ones(len(rows)), ids(*rows), boxes(*objects.values()),
        ids(*objects), looks.get("known"), looks.get("seen"),
    )  # fmt: skip


def clips(*each: list[FrameRows], started: tuple[int, ...] = (0, 1)) -> ClipRows:
    return pad_clips(each, SIZES.expand(len(each), 2), [ids(*started)] * len(each))


def values(losses: dict[str, Tensor]) -> dict[str, float]:
    return {key: value.item() for key, value in losses.items()}


class TestRows:
    def test_padding(self):
        rows = clips([frame({0: 5}, {}), frame({}, {1: 7, 0: 9})], [frame({}, {}), frame({}, {})])
        assert rows.boxes.shape == (2, 2, 1, 4) and rows.objects.shape == (2, 2, 2, 4)
        assert rows.valid.tolist() == [[[True], [False]], [[False], [False]]]
        assert rows.object_ids.tolist() == [[[-1, -1], [1, 0]], [[-1, -1]] * 2]
        assert rows.row_ids.tolist() == [[[0], [-1]], [[-1], [-1]]]
        assert rows.embeddings is None

    def test_nothing_at_all(self):
        rows = clips([frame({}, {})], started=())
        assert rows.boxes.shape == (1, 1, 0, 4) and rows.started.shape == (1, 0)
        losses = DeepMOTCriterion(HUNGARIAN)(rows)
        assert losses["loss_dmota"] == 0 and losses["loss_dmotp"] == 0
        assert SmoothL1Criterion()(rows)["loss_box"] == 0

    def test_what_does_not_fit_is_refused(self):
        with pytest.raises(ValueError, match=r"one row each in scores.*'boxes': 1, 'scores': 2"):
            FrameRows(boxes(1), torch.ones(2), ids(0), boxes(), ids())
        with pytest.raises(ValueError, match=r"clips of one length above 0, got \[1, 2\]"):
            clips([frame({}, {})], [frame({}, {})] * 2)
        look = torch.ones(1, 2)
        with pytest.raises(ValueError, match="1 of 2 frames have no embeddings: all or none"):
            clips([frame({0: 1}, {}, known=look), frame({0: 1}, {})])

    def test_without_gradients(self):
        rows = clips([frame({0: 5}, {0: 5})])
        rows.boxes.requires_grad_()
        assert not rows.detach().boxes.requires_grad
        assert rows.detach().embeddings is None


class TestDeepMOT:
    def test_by_hand(self):
        """Two frames: one on its object, one 10 px off (IoU 1/3), then one lost and one false."""
        rows = clips([frame({0: 0, 1: 110}, {0: 0, 1: 100}), frame({0: 0}, {1: 200})])
        loss = dict(type="DeepMOTLoss", sharpness=100.0)
        found = values(DeepMOTCriterion(HUNGARIAN, loss, min_iou=0.3)(rows))
        assert found["FP"] == pytest.approx(1) and found["FN"] == pytest.approx(1)
        assert found["IDS"] == pytest.approx(0, abs=1e-6)
        assert found["dMOTA"] == pytest.approx(1 - 2 / 3)
        apart = (10 / 500 + 2 / 3) / 2
        assert found["dMOTP"] == pytest.approx(1 - apart / 2)
        assert found["loss_dmota"] == pytest.approx(2 / 3)
        assert found["loss_dmotp"] == pytest.approx(5 * apart / 2)

    def test_the_first_judged_frame_may_have_switches(self):
        rows = clips([frame({0: 100, 1: 0}, {0: 0, 1: 100})])
        found = values(DeepMOTCriterion(HUNGARIAN, SHARP)(rows))
        assert found["IDS"] == pytest.approx(2) and found["FP"] == pytest.approx(0, abs=1e-6)
        assert found["dMOTA"] == pytest.approx(1 - 2 * 2 / 2)
        others = clips([frame({0: 100, 1: 0}, {0: 0, 1: 100})], started=())
        assert values(DeepMOTCriterion(HUNGARIAN, SHARP)(others))["IDS"] == pytest.approx(
            0, abs=1e-6
        )

    def test_means_of_clips_and_padding_changes_nothing(self):
        criterion = DeepMOTCriterion(dict(type="Sinkhorn", temperature=0.05, slack=0.125))
        first = [frame({0: 3, 1: 90}, {0: 0, 1: 100})]
        second = [frame({0: 60}, {0: 50, 1: 52, 2: 210})]
        alone = [values(criterion(clips(one))) for one in (first, second)]
        together = values(criterion(clips(first, second)))
        for key, value in together.items():
            assert value == pytest.approx((alone[0][key] + alone[1][key]) / 2, rel=1e-5), key

    def test_order_of_rows_and_objects_does_not_matter(self):
        criterion = DeepMOTCriterion(dict(type="Sinkhorn"))
        one = clips([frame({0: 3, 1: 90, 2: 55}, {0: 0, 1: 100})])
        other = clips([frame({2: 55, 0: 3, 1: 90}, {1: 100, 0: 0})])
        assert values(criterion(one)) == pytest.approx(values(criterion(other)), rel=1e-5)

    def test_gradients_reach_the_boxes_and_not_the_matcher(self):
        matcher = dict(type="DHN", hidden=4, num_layers=1, widths=(4,))
        criterion = DeepMOTCriterion(matcher).train()
        assert isinstance(criterion.matcher, DHN) and not criterion.matcher.training
        rows = clips([frame({0: 3, 1: 90}, {0: 0, 1: 100})])
        rows.boxes.requires_grad_()
        losses = criterion(rows)
        (losses["loss_dmota"] + losses["loss_dmotp"]).backward()
        assert rows.boxes.grad.isfinite().all() and rows.boxes.grad.abs().sum() > 0
        assert all(p.grad is None for p in criterion.matcher.parameters())
        assert not losses["dMOTA"].requires_grad

    def test_a_matcher_with_weights_of_its_own_is_no_part_of_checkpoints(self):
        learnt = DeepMOTCriterion(dict(type="DHN", pretrained=True))
        model = torch.nn.ModuleDict(dict(criterion=learnt, monitor=SmoothL1Criterion()))
        assert not model.state_dict()
        before = [p.clone() for p in learnt.parameters()]
        assert model.load_state_dict({}, strict=True).missing_keys == []
        assert all(map(torch.equal, before, learnt.parameters()))
        random = DeepMOTCriterion(dict(type="DHN", hidden=4, num_layers=1, widths=(4,)))
        assert len(random.state_dict()) == len(list(random.parameters()))

    def test_mixed_precision_changes_nothing(self):
        criterion = DeepMOTCriterion(dict(type="DHN", hidden=4, num_layers=1, widths=(4,)))
        rows = clips([frame({0: 3, 1: 90}, {0: 0, 1: 100})])
        expected = values(criterion(rows))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert values(criterion(rows)) == expected

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (dict(appearance="both"), r"one of \('none', 'term', 'pass'\), got 'both'"),
            (dict(appearance_share=1.0), "0 < appearance_share < 1"),
            (dict(min_iou=2.0), "0 <= min_iou <= 1, got .* and 2"),
        ],
    )
    def test_bad_options(self, options, message):
        with pytest.raises(InputError, match=message):
            DeepMOTCriterion(HUNGARIAN, **options)


class TestAppearance:
    RIGHT = torch.tensor([[1.0, 0.0]])
    UP = torch.tensor([[0.0, 3.0]])

    def test_distance(self):
        both = torch.cat((self.RIGHT, self.UP, -self.RIGHT))
        found = appearance_distance(self.RIGHT, both)
        assert found.tolist() == [[0, 0.5, 1]]
        assert appearance_distance(self.RIGHT[:0], both).shape == (0, 3)

    def crossed(self) -> ClipRows:
        """Two people at nearly one place, whose looks say that the nearer box is the wrong one."""
        looks = torch.cat((self.RIGHT, self.UP))
        return clips([frame({0: 2, 1: 0}, {0: 0, 1: 2}, known=looks, seen=looks)])

    def test_a_term_of_the_distance_decides_who_is_who(self):
        rows = self.crossed()
        alone = values(DeepMOTCriterion(HUNGARIAN, SHARP)(rows))
        assert alone["IDS"] == pytest.approx(2) and alone["dMOTP"] == 1
        found = values(DeepMOTCriterion(HUNGARIAN, SHARP, appearance="term")(rows))
        assert found["IDS"] == pytest.approx(0, abs=1e-6)
        apart = (2 / 500 + 1 - 18 / 22) / 2
        assert found["dMOTP"] == pytest.approx(1 - apart)  # of the boxes alone

    def test_looks_open_no_gate(self):
        rows = clips([frame({0: 30}, {0: 0}, known=self.RIGHT, seen=self.RIGHT)])
        gate = dict(type="DeepMOTLoss", sharpness=200.0, gate=0.4, gate_width=0.01)
        found = values(DeepMOTCriterion(HUNGARIAN, gate, appearance="term")(rows))
        assert found["FP"] == pytest.approx(1) and found["FN"] == pytest.approx(1)
        assert 2 / 3 * (30 / 500 + 1) / 2 < 0.4  # what the mixed distance would have let in

    def test_a_second_pass_has_terms_of_its_own(self):
        rows = self.crossed()
        criterion = DeepMOTCriterion(HUNGARIAN, SHARP, appearance="pass", appearance_weight=3.0)
        found = values(criterion(rows))
        alone = values(DeepMOTCriterion(HUNGARIAN, SHARP)(rows))
        assert {key: found[key] for key in alone} == alone
        assert found["looks_IDS"] == pytest.approx(0, abs=1e-6) and found["looks_dMOTP"] == 1
        assert set(found) - set(alone) == {
            "loss_looks_dmota", "loss_looks_dmotp",
            "looks_dMOTA", "looks_dMOTP", "looks_FP", "looks_FN", "looks_IDS",
        }  # fmt: skip
        swapped = clips(
            [frame({0: 0, 1: 50}, {0: 0, 1: 50},
                   known=torch.cat((self.RIGHT, self.UP)), seen=torch.cat((self.UP, self.RIGHT)))]
        )  # fmt: skip
        found = values(criterion(swapped))
        assert found["looks_IDS"] == pytest.approx(2)
        assert found["loss_looks_dmota"] == pytest.approx(3 * 2 * 2 / 2)

    def test_the_second_pass_has_no_gate_of_boxes(self):
        """Looks at 60 degrees, 0.25 apart, are one person's, whatever gate the boxes have."""
        seen = torch.tensor([[0.5, 3**0.5 / 2]])
        rows = clips([frame({0: 0}, {0: 0}, known=self.RIGHT, seen=seen)], started=(0,))
        loss = dict(SHARP, gate=0.25, gate_width=0.05)
        found = values(DeepMOTCriterion(HUNGARIAN, loss, appearance="pass")(rows))
        assert found["looks_dMOTA"] == pytest.approx(1) and found["looks_FN"] == pytest.approx(0)
        assert found["looks_dMOTP"] == pytest.approx(0.75)

    def test_gradients_draw_own_looks_together_and_others_apart(self):
        known = torch.cat((self.RIGHT, self.UP))
        seen = torch.tensor([[0.8, 0.6], [0.6, 0.8]], requires_grad=True)
        rows = clips([frame({0: 0, 1: 2}, {0: 0, 1: 2}, known=known, seen=seen)])
        matcher = dict(type="Sinkhorn", temperature=0.05)
        losses = DeepMOTCriterion(matcher, appearance="term")(rows)
        assert not losses["loss_dmotp"].requires_grad  # MOTP is about boxes, which stand still
        losses["loss_dmota"].backward()
        assert seen.grad[0, 0] < 0 < seen.grad[0, 1] and seen.grad[1, 1] < 0 < seen.grad[1, 0]

    def test_without_embeddings(self):
        criterion = DeepMOTCriterion(HUNGARIAN, appearance="term")
        assert criterion.needs_embeddings
        with pytest.raises(ValueError, match=r"appearance='term'\) needs embeddings"):
            criterion(clips([frame({0: 0}, {0: 0})]))


class TestSmoothL1:
    def test_deltas(self):
        reference = torch.tensor([[0.0, 0.0, 20.0, 40.0]])
        moved = torch.tensor([[-5.0, 10.0, 35.0, 50.0]])
        expected = [5 / 20, 10 / 40, math.log(2), 0]
        assert box_deltas(moved, reference)[0].tolist() == pytest.approx(expected)
        assert box_deltas(reference, reference).tolist() == [[0] * 4]
        turned = box_deltas(reference[:, [2, 3, 0, 1]], reference)
        assert turned[0, 2:].tolist() == pytest.approx([math.log(0.01)] * 2)

    def test_by_hand(self):
        """4 px of 20 are 2 of the units; a row without its object and one of no one count not."""
        rows = clips(
            [frame({0: 4, 1: 90, 7: 1}, {1: 90, 0: 0})], [frame({-1: 0}, {0: 0})]
        )  # fmt: skip
        losses = SmoothL1Criterion(weight=2.0)(rows)
        assert losses["loss_box"].item() == pytest.approx(2 * (2 - 0.5) / 2 / 2)
        small = SmoothL1Criterion(beta=4.0)(rows)
        assert small["loss_box"].item() == pytest.approx(0.5 * 2**2 / 4 / 2 / 2)

    def test_gradients_move_each_box_to_its_own_object(self):
        rows = clips([frame({0: 100, 1: 3}, {0: 0, 1: 100})])
        rows.boxes.requires_grad_()
        SmoothL1Criterion()(rows)["loss_box"].backward()
        gradient = rows.boxes.grad[0, 0]
        assert (gradient[0, [0, 2]] > 0).all() and (gradient[1, [0, 2]] < 0).all()

    def test_the_monitor_has_no_gradient(self):
        monitor = dict(type="DeepMOTCriterion", matcher=HUNGARIAN)
        rows = clips([frame({0: 4}, {0: 0})])
        rows.boxes.requires_grad_()
        losses = SmoothL1Criterion(monitor=monitor)(rows)
        assert set(losses) == {"loss_box", "dMOTA", "dMOTP", "FP", "FN", "IDS"}
        assert not losses["dMOTP"].requires_grad and losses["loss_box"].requires_grad

    def test_bad_options(self):
        with pytest.raises(InputError, match=r"four stds above 0, got 1\.0, 1\.0 and"):
            SmoothL1Criterion(stds=(0.1, 0.1, 0.2))
