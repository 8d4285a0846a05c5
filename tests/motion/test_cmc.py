"""Camera motion: known motions of a textured image, and images with which nothing can be done."""

import logging

import cv2
import numpy as np
import pytest

from mmdeepmot.motion import ECC, SparseFlow
from mmdeepmot.motion.affine import IDENTITY, move_boxes, move_points
from mmdeepmot.motion.camera import background_mask, to_gray
from mmdeepmot.structures.boxes import iou_pairs

WIDTH, HEIGHT = 320, 240
STILL = IDENTITY.tolist()


def texture(seed=0, width=WIDTH, height=HEIGHT):
    """``(H, W)`` uint8: noise on several scales."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width))
    for cell in (4, 8, 16, 32):
        coarse = rng.normal(size=(height // cell + 2, width // cell + 2))
        total += cell**0.5 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    total -= total.min()
    return (255 / total.max() * total).astype(np.uint8)


def motion(angle=0.0, scale=1.0, shift=(0.0, 0.0)):
    """About the image's centre, in continuous px; angle in degrees."""
    turn = np.deg2rad(angle)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = np.array([WIDTH / 2, HEIGHT / 2])
    return np.column_stack([linear, centre - linear @ centre + shift])


def moved(image, affine):
    """The image after the motion, which is in continuous px (pixel i has its centre at i + 0.5)."""
    centred = affine.copy()
    centred[:, 2] = move_points(np.array([0.5, 0.5]), affine) - 0.5
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(
        image, centred, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )


def worst(found, expected):
    """Largest distance (px) between the two over the image."""
    x, y = np.meshgrid(np.linspace(0, WIDTH, 5), np.linspace(0, HEIGHT, 5))
    points = np.stack([x, y], axis=-1)
    return np.linalg.norm(move_points(points, found) - move_points(points, expected), axis=-1).max()


MOTIONS = {
    "shift": motion(shift=(5.3, -3.6)),
    "turn": motion(angle=1.5, shift=(1, 2)),
    "zoom": motion(scale=1.03, shift=(-2, 1)),
    "all": motion(angle=-1, scale=0.98, shift=(4.2, 0.7)),
    "still": motion(),
}
ESTIMATORS = {
    "flow": lambda downscale: SparseFlow(downscale=downscale),
    "ecc-translation": lambda downscale: ECC("translation", downscale=downscale),
    "ecc-euclidean": lambda downscale: ECC("euclidean", downscale=downscale),
    "ecc-affine": lambda downscale: ECC("affine", downscale=downscale),
}
CAN = {
    "flow": set(MOTIONS),
    "ecc-translation": {"shift", "still"},
    "ecc-euclidean": {"shift", "still", "turn"},
    "ecc-affine": set(MOTIONS),
}


@pytest.mark.parametrize("downscale", [1, 2, 1.7])
@pytest.mark.parametrize(
    ("name", "case"), [(name, case) for name, cases in CAN.items() for case in sorted(cases)]
)
def test_known_motion_is_found_to_a_fraction_of_a_pixel(name, case, downscale):
    estimator = ESTIMATORS[name](downscale)
    image = texture()
    assert estimator.estimate(image).tolist() == STILL
    found = estimator.estimate(moved(image, MOTIONS[case]))
    assert found.shape == (2, 3) and found.dtype == np.float64
    assert worst(found, MOTIONS[case]) < 0.25
    assert estimator.failures == 0


@pytest.fixture(params=["flow", "ecc-euclidean"])
def estimator(request):
    return ESTIMATORS[request.param](2)


def test_each_motion_starts_at_the_last_image(estimator):
    image = texture()
    one, two = motion(shift=(3, 0)), motion(shift=(3, 4))
    for frame in (image, moved(image, one)):
        estimator.estimate(frame)
    assert worst(estimator.estimate(moved(image, two)), motion(shift=(0, 4))) < 0.3


def test_colour_and_gray_are_the_same(estimator):
    image = texture()
    pair = image, moved(image, MOTIONS["shift"])
    gray = [estimator.estimate(frame) for frame in pair][1]
    estimator.reset()
    colour = [estimator.estimate(cv2.merge([frame] * 3)) for frame in pair][1]
    np.testing.assert_array_equal(gray, colour)


def crowd(image, shift):
    """Patches that are more striking than the background and move together, against it."""
    boxes = np.array([[x, y, x + 60, y + 90] for x in (20, 130, 240) for y in (10, 130)])
    image, people = image // 4 + 96, texture(9)
    for left, top, right, bottom in boxes + np.tile(shift, 2):
        patch = people[top - shift[1] : bottom - shift[1], left - shift[0] : right - shift[0]]
        image[top:bottom, left:right] = patch
    return image, (boxes + np.tile(shift, 2)).astype(np.float64)


def test_objects_that_move_by_themselves_are_left_out(estimator):
    image, camera = texture(), motion(shift=(-3, 2))
    for with_boxes in (True, False):
        estimator.reset()
        for frame, shift in ((image, (0, 0)), (moved(image, camera), (6, -2))):
            frame, boxes = crowd(frame, shift)
            found = estimator.estimate(frame, boxes if with_boxes else None)
        assert (worst(found, camera) < 0.5) == with_boxes


def test_an_image_full_of_people_is_used_as_it_is():
    image = texture()
    flow = SparseFlow()
    everything = np.array([[-5.0, -5, WIDTH + 5, HEIGHT + 5]])
    flow.estimate(image, everything)
    found = flow.estimate(moved(image, MOTIONS["shift"]), everything)
    assert worst(found, MOTIONS["shift"]) < 0.25


def test_a_black_frame_is_passed_over(estimator, caplog):
    image = texture()
    black = np.zeros_like(image)
    later = moved(image, MOTIONS["shift"])
    found = [estimator.estimate(frame) for frame in (image, black, black, later)]
    assert [affine.tolist() for affine in found[:3]] == [STILL] * 3
    assert worst(found[3], MOTIONS["shift"]) < 0.25  # since the last frame that could be seen
    assert estimator.failures == 2
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "could not be estimated" in caplog.text


def test_a_sequence_may_begin_black(estimator):
    black = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    image = texture()
    found = [estimator.estimate(frame) for frame in (black, image)]
    assert [affine.tolist() for affine in found] == [STILL] * 2
    assert worst(estimator.estimate(moved(image, MOTIONS["shift"])), MOTIONS["shift"]) < 0.25


def test_another_size_starts_anew(estimator, caplog):
    image = texture()
    small = cv2.resize(image, (WIDTH // 2, HEIGHT // 2))
    for frame in (image, small):
        assert estimator.estimate(frame).tolist() == STILL
    assert estimator.failures == 1
    assert "size changed from (320, 240) to (160, 120) px" in caplog.text
    assert estimator.estimate(small) == pytest.approx(IDENTITY, abs=0.05)


def test_images_of_nothing_in_common_stand_still(estimator):
    rng = np.random.default_rng(0)
    for seed in range(4):
        noise = rng.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
        assert estimator.estimate(noise).tolist() == STILL, seed
    assert estimator.failures == 3


@pytest.mark.parametrize("image", [np.zeros((1, 1)), np.zeros((3, 700)), np.full((40, 40), 200)])
def test_tiny_and_flat_images(estimator, image):
    for _ in range(3):
        assert estimator.estimate(image.astype(np.uint8), np.zeros((0, 4))).tolist() == STILL


def test_boxes_that_are_no_boxes(estimator):
    image = texture()
    odd = np.array([[np.nan, 0, 5, 5], [np.inf, 0, 5, 5], [50, 50, 20, 20], [1e9, 0, 2e9, 9]])
    estimator.estimate(image, odd)
    found = estimator.estimate(moved(image, MOTIONS["shift"]), odd)
    assert worst(found, MOTIONS["shift"]) < 0.25
    with pytest.raises(ValueError, match=r"shape \(N, 4\).*got \(4,\)"):
        estimator.estimate(image, odd[0])


def test_reset_begins_a_sequence(estimator, caplog):
    black = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    for _ in range(2):
        estimator.reset()
        assert estimator.failures == 0
        for frame in (texture(), black, black):
            assert estimator.estimate(frame).tolist() == STILL
    assert estimator.failures == 2
    assert len(caplog.records) == 2  # one a sequence
    estimator.reset()
    assert estimator.estimate(texture(1)).tolist() == STILL
    assert estimator.failures == 0


def test_the_same_images_give_the_same_motion(estimator):
    rng = np.random.default_rng(3)
    image = texture()
    pair = [image, moved(image, MOTIONS["all"])]
    pair = [cv2.add(f, rng.integers(0, 40, f.shape, dtype=np.uint8)) for f in pair]
    found = []
    for seed in (1, 2):
        cv2.setRNGSeed(seed)
        estimator.reset()
        found.append([estimator.estimate(frame) for frame in pair][1])
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ECC("homography"), r"mode must be one of .*'euclidean'.* got 'homography'"),
        (lambda: ECC(blur=4), "blur odd"),
        (lambda: ECC(iterations=0), "iterations must be >= 1"),
        (lambda: SparseFlow(downscale=0.5), "downscale must be >= 1, got 0.5"),
        (lambda: SparseFlow(max_corners=5), "max_corners=5"),
        (lambda: SparseFlow().estimate(np.zeros((4, 4))), r"uint8, got .*\(4, 4\), float64"),
        (lambda: ECC().estimate(np.zeros((3, 4, 4), np.uint8)), r"got .*\(3, 4, 4\)"),
        (lambda: ECC().estimate(np.zeros((0, 4), np.uint8)), r"got .*\(0, 4\)"),
    ],
)
def test_misuse_is_an_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_mask_and_gray_by_hand():
    mask = background_mask((6, 4), np.array([[1.5, 1, 3.2, 2], [4.0, -9, 99, 1]]))
    expected = np.full((4, 6), 255)
    expected[1, 1:4] = expected[0, 4:] = 0
    np.testing.assert_array_equal(mask, expected)
    assert background_mask((6, 4), None) is background_mask((6, 4), np.zeros((0, 4))) is None
    blue = np.zeros((2, 2, 3), dtype=np.uint8)
    blue[..., 0] = 255
    assert to_gray(blue).tolist() == [[29, 29]] * 2  # 0.114 * 255
    assert to_gray(blue[..., :1]).tolist() == [[255, 255]] * 2


@pytest.mark.parametrize("name", ["flow", "ecc-euclidean"])
def test_people_of_a_moving_camera_stay_where_they_were(name, shared_data):
    """MOT17-11: true boxes moved by the camera's motion lie better on those of the next frame."""
    from mmdeepmot.io.image import read_image
    from mmdeepmot.io.mot import read_mot_text

    folder = shared_data / "mot/MOT17-11-540p"
    if not folder.is_dir():
        pytest.skip(f"needs the shared data: {folder} is missing")
    truth, found = (read_mot_text(folder / f"{kind}/{kind}.txt", kind) for kind in ("gt", "det"))
    estimator = ESTIMATORS[name](2)
    before, after = [], []
    for frame in range(560, 580):
        affine = estimator.estimate(
            read_image(folder / f"img1/{frame:06d}.jpg"), found.bboxes[found.frames == frame]
        )
        last, now = truth.frames == frame - 1, truth.frames == frame
        _, rows, columns = np.intersect1d(truth.ids[last], truth.ids[now], return_indices=True)
        old, new = truth.bboxes[last][rows], truth.bboxes[now][columns]
        if frame > 560:
            before.append(iou_pairs(old, new))
            after.append(iou_pairs(move_boxes(old, affine), new))
    assert np.concatenate(after).mean() > np.concatenate(before).mean() + 0.01
    assert estimator.failures == 0
