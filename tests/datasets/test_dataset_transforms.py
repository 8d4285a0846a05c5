"""Letterbox, affine augmentation, colour and packing: hand-worked values and oracles."""

import math
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from mmdeepmot.datasets.transforms import (
    HSVJitter,
    Letterbox,
    LoadFrame,
    LoadTracks,
    PackFrame,
    RandomAffineLetterbox,
    RandomFlipTracks,
    color,
    geometry,
)
from mmdeepmot.registry import TRANSFORMS

BOXES = np.array([[100, 50, 140, 170], [0, 0, 30, 90], [500, 300, 560, 470]], dtype=np.float32)


def make_results(boxes: np.ndarray = BOXES, size: tuple[int, int] = (640, 480)) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    count = len(boxes)
    return {
        "img": rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8),
        "img_path": "a.png",
        "gt_bboxes": boxes.copy(),
        "gt_bboxes_labels": np.zeros(count, dtype=np.int64),
        "gt_instances_ids": np.arange(count) * 10,
        "gt_visibility": np.linspace(0.1, 1, count).astype(np.float32),
        "gt_ignore_flags": np.arange(count) % 2 == 1,
    }


def box_of(image: np.ndarray, level: int = 128) -> np.ndarray:
    """xyxy of the pixels brighter than ``level``, as continuous coordinates."""
    rows, columns = np.nonzero(image[..., 0] > level)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


class TestLetterboxGeometry:
    def test_full_hd(self) -> None:
        fit = geometry.letterbox_geometry((1920, 1080), (1088, 608))
        # ratio = min(0.5667, 0.5630) = 0.56296: 1081 x 608, 3.5 px left over on each side
        assert fit.resized == (1081, 608)
        assert fit.offset == (3, 0)
        assert fit.scale == (1081 / 1920, 608 / 1080)

    def test_narrow(self) -> None:
        fit = geometry.letterbox_geometry((768, 576), (1088, 608))
        assert fit.resized == (811, 608)
        assert fit.offset == (138, 0)

    def test_same_size_is_the_identity(self) -> None:
        fit = geometry.letterbox_geometry((1088, 608), (1088, 608))
        assert np.array_equal(fit.matrix, np.eye(3))

    @pytest.mark.parametrize("size", [(1, 1000), (1000, 1), (37, 53), (4000, 3000)])
    def test_fits_and_is_centred(self, size: tuple[int, int]) -> None:
        fit = geometry.letterbox_geometry(size, (200, 100))
        for axis, side in enumerate((200, 100)):
            rest = side - fit.resized[axis] - fit.offset[axis]
            assert 0 <= fit.offset[axis] <= rest <= fit.offset[axis] + 1
            assert fit.resized[axis] >= 1


class TestLetterbox:
    def test_image_and_boxes_agree(self) -> None:
        image = np.zeros((480, 640, 3), dtype=np.uint8)
        image[120:360, 160:240] = 255
        results = make_results(np.array([[160, 120, 240, 360]], dtype=np.float32))
        results["img"] = image
        out = Letterbox((1088, 608), pad_value=0)(results)
        assert out["img"].shape == (608, 1088, 3)
        assert np.abs(box_of(out["img"]) - out["gt_bboxes"][0]).max() <= 0.6
        scale, offset = np.tile(out["scale_factor"], 2), np.tile(out["pad_offset"], 2)
        assert np.allclose(out["gt_bboxes"][0], np.array([160, 120, 240, 360]) * scale + offset)

    def test_padding(self) -> None:
        results = make_results(size=(50, 100))
        out = Letterbox((100, 100))(results)
        assert (out["img"][:, :25] == 128).all()
        assert (out["img"][:, 75:] == 128).all()
        assert out["pad_offset"] == (25, 0)
        assert out["img_shape"] == (100, 100)

    def test_same_size_keeps_every_pixel(self) -> None:
        results = make_results()
        image = results["img"].copy()
        assert np.array_equal(Letterbox((640, 480))(results)["img"], image)

    @pytest.mark.parametrize("size", [(0, 5), (5.5, 5), (5,)])
    def test_bad_size(self, size: Any) -> None:
        with pytest.raises(ValueError, match=r"Letterbox\.size must be \(width, height\)"):
            Letterbox(size)


class TestAffineMatrix:
    def test_nothing_is_the_identity(self) -> None:
        assert np.allclose(geometry.affine_matrix((64, 32), 0, 1, (0, 0), (0, 0)), np.eye(3))

    def test_scale_keeps_the_centre(self) -> None:
        matrix = geometry.affine_matrix((64, 32), 0, 0.5, (0, 0), (0, 0))
        assert np.allclose(geometry.warp_points(np.array([32.0, 16.0]), matrix), [32, 16])
        assert np.allclose(geometry.warp_points(np.array([0.0, 0.0]), matrix), [16, 8])

    def test_quarter_turn(self) -> None:
        matrix = geometry.affine_matrix((64, 64), 90, 1, (0, 0), (0, 0))
        # counter-clockwise as one sees it: the right edge's middle goes to the top
        assert np.allclose(geometry.warp_points(np.array([64.0, 32.0]), matrix), [32, 0])

    def test_translation_is_sheared_after_it(self) -> None:
        matrix = geometry.affine_matrix((64, 64), 0, 1, (10, 20), (45, 0))
        assert np.allclose(geometry.warp_points(np.array([0.0, 0.0]), matrix), [10 + 20, 20])


class TestWarpBoxes:
    def test_scale_and_shift(self) -> None:
        matrix = np.array([[2.0, 0, 5], [0, 3, -1], [0, 0, 1]])
        out = geometry.warp_boxes(np.array([[1.0, 2, 3, 4]]), matrix)
        assert out.tolist() == [[7, 5, 11, 11]]
        assert out.dtype == np.float32

    def test_rotation_by_hand(self) -> None:
        angle = 5.0
        matrix = geometry.affine_matrix((200, 200), angle, 1, (0, 0), (0, 0))
        out = geometry.warp_boxes(np.array([[80.0, 50, 120, 150]]), matrix, angle)[0]
        cos, sin = math.cos(math.radians(5)), math.sin(math.radians(5))
        reduction = math.sqrt(cos)
        width = (40 * cos + 100 * sin) * reduction
        height = (100 * cos + 40 * sin) * reduction
        expected = [100 - width / 2, 100 - height / 2, 100 + width / 2, 100 + height / 2]
        assert np.allclose(out, expected, atol=1e-4)

    def test_empty(self) -> None:
        assert geometry.warp_boxes(np.zeros((0, 4)), np.eye(3), 3).shape == (0, 4)


class TestUsableBoxes:
    def keep(self, box: list[float], area_before: float) -> bool:
        return bool(geometry.usable_boxes(np.array([box]), np.array([area_before]))[0])

    def test_size(self) -> None:
        assert not self.keep([0, 0, 4, 20], 80)
        assert self.keep([0, 0, 4.1, 20], 80)
        assert not self.keep([0, 0, 20, 4], 80)

    def test_area(self) -> None:
        assert not self.keep([0, 0, 10, 10], 1000)
        assert self.keep([0, 0, 10, 10], 999)

    def test_aspect(self) -> None:
        assert not self.keep([0, 0, 10, 100], 1000)
        assert self.keep([0, 0, 10, 99], 1000)

    def test_degenerate_and_empty(self) -> None:
        assert not self.keep([5, 5, 5, 5], 0)
        assert geometry.usable_boxes(np.zeros((0, 4)), np.zeros(0)).shape == (0,)


class TestWarpImage:
    @pytest.mark.parametrize("size", [(160, 120), (320, 240), (100, 90), (1280, 960)])
    def test_a_rectangle_lands_where_its_box_does(self, size: tuple[int, int]) -> None:
        image = np.zeros((480, 640, 3), dtype=np.uint8)
        image[96:384, 128:320] = 255
        matrix = geometry.letterbox_geometry((640, 480), size).matrix
        warped = geometry.warp_image(image, matrix, size, pad_value=0)
        expected = geometry.warp_boxes(np.array([[128.0, 96, 320, 384]]), matrix)[0]
        assert np.abs(box_of(warped) - expected).max() <= 0.6

    def test_equals_resize(self) -> None:
        """Half-pixel centres: enlarging is OpenCV's bilinear resize."""
        image = make_results()["img"][:40, :60]
        warped = geometry.warp_image(image, np.diag([2.0, 2.0, 1.0]), (120, 80))
        resized = cv2.resize(image, (120, 80), interpolation=cv2.INTER_LINEAR)
        inside = (slice(2, -2), slice(2, -2))
        assert np.abs(warped[inside].astype(int) - resized[inside]).max() <= 2

    def test_shrinking_averages(self) -> None:
        """A checkerboard of pixels becomes grey; sampling would give noise."""
        board = ((np.indices((256, 256)).sum(0) % 2) * 255).astype(np.uint8)
        image = np.repeat(board[..., None], 3, axis=2)
        warped = geometry.warp_image(image, np.diag([0.25, 0.25, 1.0]), (64, 64))
        assert np.abs(warped[2:-2, 2:-2].astype(int) - 128).max() <= 1

    def test_padding(self) -> None:
        warped = geometry.warp_image(
            np.zeros((10, 10, 3), np.uint8), np.diag([1.0, 1, 1]), (30, 10), pad_value=127.5
        )
        assert (warped[:, 11:] == 128).all()


class TestRandomAffineLetterbox:
    def test_without_randomness_it_is_the_letterbox(self) -> None:
        still = RandomAffineLetterbox(
            (544, 304), degrees=0, translate=0, scale=(1, 1), shear=0, clip=False
        )
        ours = still(make_results())
        theirs = Letterbox((544, 304))(make_results())
        assert np.allclose(ours["gt_bboxes"], theirs["gt_bboxes"], atol=1e-3)
        assert np.allclose(ours["image_corners"], theirs["image_corners"])

    def test_boxes_follow_the_image(self) -> None:
        transform = RandomAffineLetterbox((544, 304), pad_value=0)
        for seed in range(8):
            image = np.zeros((480, 640, 3), dtype=np.uint8)
            image[200:320, 280:340] = 255
            results = make_results(np.array([[280, 200, 340, 320]], dtype=np.float32))
            results["img"] = image
            np.random.seed(seed)
            out = transform(results)
            found = box_of(out["img"])
            # the published reduction shrinks a box turned by 5 degrees by 0.2 percent
            assert np.abs(found - out["gt_bboxes"][0]).max() < 1.5

    def test_all_arrays_are_filtered_together(self) -> None:
        many = np.concatenate([BOXES + 17 * shift for shift in range(-20, 20)]).astype(np.float32)
        np.random.seed(3)
        out = RandomAffineLetterbox((544, 304))(make_results(many))
        kept = len(out["gt_bboxes"])
        assert 0 < kept < len(many)
        rows = out["gt_instances_ids"] // 10
        before = make_results(many)
        assert np.array_equal(out["gt_visibility"], before["gt_visibility"][rows])
        assert np.array_equal(out["gt_ignore_flags"], before["gt_ignore_flags"][rows])
        assert len(out["gt_bboxes_labels"]) == kept
        matrix = out["homography_matrix"]
        centres = geometry.warp_points((many[rows, :2] + many[rows, 2:]) / 2, matrix)
        inside = out["gt_bboxes"]
        assert (inside >= 0).all()
        assert (inside[:, [0, 2]] <= 544).all()
        assert (inside[:, [1, 3]] <= 304).all()
        whole = (inside[:, 0] > 0) & (inside[:, 1] > 0)
        whole &= (inside[:, 2] < 544) & (inside[:, 3] < 304)
        assert whole.any()
        assert np.allclose(((inside[:, :2] + inside[:, 2:]) / 2)[whole], centres[whole], atol=1e-2)

    def test_unclipped_boxes_keep_their_size(self) -> None:
        half_outside = np.array([[-20, 100, 60, 340]], dtype=np.float32)
        settings = {"degrees": 0, "translate": 0, "scale": (1, 1), "shear": 0}
        cut = RandomAffineLetterbox((640, 480), **settings)(make_results(half_outside))
        whole = RandomAffineLetterbox((640, 480), **settings, clip=False)(
            make_results(half_outside)
        )
        assert cut["gt_bboxes"].tolist() == [[0, 100, 60, 340]]
        assert whole["gt_bboxes"].tolist() == [[-20, 100, 60, 340]]

    def test_distribution(self) -> None:
        """Scales and centres stay within the published bounds and use them."""
        transform = RandomAffineLetterbox((100, 50), degrees=0, shear=0)
        scales, shifts = [], []
        for seed in range(200):
            np.random.seed(seed)
            matrix = transform(make_results(size=(100, 50)))["homography_matrix"]
            scales.append(matrix[0, 0])
            shifts.append(geometry.warp_points(np.array([50.0, 25.0]), matrix) - [50, 25])
        assert 0.5 <= min(scales) < 0.52
        assert 1.18 < max(scales) <= 1.2
        reach = np.abs(shifts).max(axis=0)
        assert 9.5 < reach[0] <= 10
        assert 4.7 < reach[1] <= 5

    def test_no_boxes_and_no_annotations(self) -> None:
        out = RandomAffineLetterbox((64, 64))(make_results(np.zeros((0, 4), np.float32)))
        assert out["gt_bboxes"].shape == (0, 4)
        bare = {"img": make_results()["img"]}
        assert "gt_bboxes" not in RandomAffineLetterbox((64, 64))(bare)

    def test_same_seed_same_warp_whatever_the_boxes(self) -> None:
        transform = RandomAffineLetterbox((64, 64))
        np.random.seed(5)
        one = transform(make_results())
        after_one = np.random.random()
        np.random.seed(5)
        two = transform(make_results(np.zeros((0, 4), np.float32)))
        assert np.array_equal(one["homography_matrix"], two["homography_matrix"])
        assert np.random.random() == after_one

    @pytest.mark.parametrize("scale", [(1.2, 0.5), (0.0, 1.0)])
    def test_bad_scale(self, scale: tuple[float, float]) -> None:
        with pytest.raises(ValueError, match=r"RandomAffineLetterbox\.scale must be"):
            RandomAffineLetterbox((64, 64), scale=scale)


class TestFlip:
    def test_twice_is_nothing(self) -> None:
        flip = RandomFlipTracks(1.0)
        before = make_results()
        after = flip(flip(make_results()))
        assert np.array_equal(after["img"], before["img"])
        assert np.allclose(after["gt_bboxes"], before["gt_bboxes"])

    def test_by_hand(self) -> None:
        out = RandomFlipTracks(1.0)(make_results())
        assert out["gt_bboxes"][0].tolist() == [500, 50, 540, 170]
        assert out["flip"] is True
        assert out["gt_instances_ids"].tolist() == [0, 10, 20]

    def test_matrix_follows(self) -> None:
        results = RandomAffineLetterbox((64, 64), clip=False)(make_results(BOXES[2:]))
        out = RandomFlipTracks(1.0)(results)
        centre = geometry.warp_points(np.array([530.0, 385.0]), out["homography_matrix"])
        box = out["gt_bboxes"][0]
        assert np.allclose(centre, (box[:2] + box[2:]) / 2, atol=1e-3)

    def test_never(self) -> None:
        out = RandomFlipTracks(0.0)(make_results())
        assert out["flip"] is False
        assert np.array_equal(out["img"], make_results()["img"])

    def test_bad_probability(self) -> None:
        with pytest.raises(ValueError, match=r"prob must lie in \[0, 1\], got 2"):
            RandomFlipTracks(2)


def published_jitter(image: np.ndarray, saturation: float, value: float) -> np.ndarray:
    """The published computation: float channels, clipped above 1, truncated."""
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    for channel, factor in ((1, saturation), (2, value)):
        plane = hsv[:, :, channel].astype(np.float32) * np.float32(factor)
        hsv[:, :, channel] = np.clip(plane, 0, 255).astype(np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)


class TestHSVJitter:
    @pytest.mark.parametrize("factors", [(0.5, 1.5), (1.5, 0.5), (1.234, 0.877)])
    def test_equals_the_published_computation(self, factors: tuple[float, float]) -> None:
        image = make_results()["img"]
        assert np.array_equal(color.jitter_hsv(image, *factors), published_jitter(image, *factors))

    def test_grey_has_no_saturation_to_change(self) -> None:
        image = np.full((4, 4, 3), 100, dtype=np.uint8)
        assert (color.jitter_hsv(image, 1.5, 1.2) == 120).all()
        assert (color.jitter_hsv(image, 0.5, 3.0) == 255).all()

    def test_padding_keeps_its_value(self) -> None:
        np.random.seed(1)
        results = HSVJitter(0.5)(Letterbox((900, 480))(make_results()))
        assert (results["img"][:, :130] == 128).all()
        assert (results["img"][:, -130:] == 128).all()
        assert not np.array_equal(results["img"][:, 130:770], make_results()["img"])

    def test_before_any_letterbox(self) -> None:
        assert HSVJitter()({"img": make_results()["img"]})["img"].shape == (480, 640, 3)

    def test_bad_fraction(self) -> None:
        with pytest.raises(ValueError, match=r"fraction must lie in \[0, 1\], got 1.5"):
            HSVJitter(1.5)


class TestLoadingAndPacking:
    def annotations(self) -> dict[str, np.ndarray]:
        return {
            "bboxes": BOXES,
            "labels": np.zeros(3, np.int64),
            "identities": np.array([4, -1, 7]),
            "ignore": np.array([False, True, False]),
            "visibility": np.array([0.2, 1, 0.9], dtype=np.float32),
        }

    def test_size_changes_inside_a_sequence(self) -> None:
        results = {
            "img": np.zeros((40, 60, 3), np.uint8),
            "img_path": "seq/img1/000007.png",
            "ori_shape": (48, 64),
            "frame_number": 7,
            "video_name": "seq",
        }
        expected = "000007.png: frame 7 of sequence seq is 60x40 px where the sequence is 64x48 px"
        with pytest.raises(ValueError, match=expected):
            LoadFrame()(results)

    def test_a_frame_in_memory(self) -> None:
        out = LoadFrame()({"img": np.zeros((40, 60, 3), np.uint8)})
        assert out["ori_shape"] == out["img_shape"] == (40, 60)

    def test_annotations_are_copies(self) -> None:
        results = LoadTracks()({"annotations": self.annotations()})
        results["gt_bboxes"] += 1000
        assert BOXES.max() < 1000

    def test_little_visible_boxes_can_be_ignored(self) -> None:
        results = LoadTracks(min_visibility=0.5)({"annotations": self.annotations()})
        assert results["gt_ignore_flags"].tolist() == [True, True, False]

    def test_packing(self) -> None:
        results = LoadTracks()({"annotations": self.annotations(), "video_name": "seq"})
        results["img"] = make_results()["img"]
        results["public_detections"] = {
            "bboxes": BOXES[:1],
            "scores": np.array([-3], dtype=np.float32),
            "labels": np.array([2]),
        }
        packed = PackFrame()(results)
        assert packed["inputs"].shape == (3, 480, 640)
        assert packed["inputs"].dtype == torch.uint8
        assert np.array_equal(packed["inputs"][2].numpy(), results["img"][:, :, 2])
        sample = packed["data_samples"]
        truth = sample.gt_instances
        assert truth.bboxes.tolist() == BOXES[[0, 2]].tolist()
        assert truth.instances_ids.tolist() == [4, 7]
        assert truth.instances_ids.dtype == torch.int64
        assert truth.labels.tolist() == [0, 0]
        assert torch.allclose(truth.visibility, torch.tensor([0.2, 0.9]))
        assert sample.ignored_instances.bboxes.tolist() == BOXES[[1]].tolist()
        assert sample.public_detections.scores.tolist() == [-3]
        assert sample.public_detections.labels.tolist() == [2]
        assert sample.metainfo["video_name"] == "seq"

    def test_no_annotations(self) -> None:
        assert "gt_instances" not in PackFrame()({"img": make_results()["img"]})["data_samples"]


def test_every_transform_can_be_built_and_named() -> None:
    configs: list[dict[str, Any]] = [
        {"type": "LoadFrame"},
        {"type": "LoadTracks"},
        {"type": "Letterbox", "size": (64, 32)},
        {"type": "RandomAffineLetterbox", "size": (64, 32)},
        {"type": "HSVJitter"},
        {"type": "RandomFlipTracks"},
        {"type": "PackFrame"},
    ]
    for config in configs:
        assert config["type"] in repr(TRANSFORMS.build(config))
