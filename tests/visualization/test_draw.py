"""Drawings: values of pixels, not only that something was drawn."""

import numpy as np
import pytest

from mmdeepmot.visualization.colors import contrast_colors, id_colors, oklch_to_bgr
from mmdeepmot.visualization.draw import Style, draw_tracks, draw_trails
from mmdeepmot.visualization.text import put_text, text_mask
from mmdeepmot.visualization.trails import TrailBuffer, Trails

NO_BOXES = np.zeros((0, 4))
NO_IDS = np.zeros(0, dtype=np.int64)


def grey(width: int = 320, height: int = 240, value: int = 100) -> np.ndarray:
    return np.full((height, width, 3), value, dtype=np.uint8)


# ---------------------------------------------------------------------------------------- colours


def test_colours_of_a_hundred_ids_are_distinct():
    colors = id_colors(np.arange(1, 101)).astype(int)
    assert colors.shape == (100, 3)
    assert len(np.unique(colors, axis=0)) == 100


@pytest.mark.parametrize("first", [1, 50, 1000])
def test_colours_of_ids_that_meet_are_far_apart(first):
    colors = id_colors(np.arange(first, first + 12)).astype(float)
    apart = np.linalg.norm(colors[:, None] - colors[None], axis=-1)
    assert apart[~np.eye(12, dtype=bool)].min() > 25


def test_the_colour_depends_on_the_id_alone():
    alone = id_colors(np.array([7]))
    among = id_colors(np.array([3, 7, 9, 7]))
    np.testing.assert_array_equal(among[1], alone[0])
    np.testing.assert_array_equal(among[3], alone[0])
    assert id_colors(NO_IDS).shape == (0, 3)
    assert id_colors(np.array([-1, 0, 2**40])).dtype == np.uint8


def test_oklch_against_published_values():
    # Ottosson's page: red is L 0.62796, C 0.25768, h 29.234 deg; white L 1; black L 0.
    lightness = np.array([0.62796, 1.0, 0.0])
    chroma, hue = np.array([0.25768, 0.0, 0.0]), np.array([29.234 / 360.0, 0.3, 0.3])
    bgr = oklch_to_bgr(lightness, chroma, hue).astype(int)
    np.testing.assert_allclose(bgr, [[0, 0, 255], [255, 255, 255], [0, 0, 0]], atol=1)


def test_text_is_black_on_light_and_white_on_dark():
    colors = np.array([[255, 255, 255], [0, 255, 255], [120, 0, 0], [0, 0, 0]], dtype=np.uint8)
    expected = [[0] * 3, [0] * 3, [255] * 3, [255] * 3]
    np.testing.assert_array_equal(contrast_colors(colors), expected)


# ------------------------------------------------------------------------------------------ boxes


def test_the_border_of_a_box_has_the_colour_of_its_id():
    image = grey()
    boxes = np.array([[40.2, 60.4, 100.0, 200.0], [180.0, 70.0, 260.0, 190.0]])
    ids = np.array([5, 12])
    drawn = draw_tracks(image, boxes, ids)
    for (left, top, right, bottom), color in zip(
        boxes.round().astype(int), id_colors(ids), strict=True
    ):
        middle = (top + bottom) // 2
        np.testing.assert_array_equal(drawn[middle, left], color)
        np.testing.assert_array_equal(drawn[middle, right], color)
        np.testing.assert_array_equal(drawn[bottom, (left + right) // 2], color)
        np.testing.assert_array_equal(drawn[middle, (left + right) // 2], [100] * 3)
    np.testing.assert_array_equal(image, grey())  # the image given is not changed


def test_the_tag_stands_above_the_box_in_its_colour():
    drawn = draw_tracks(grey(), np.array([[100.0, 100.0, 160.0, 200.0]]), np.array([3]))
    (color,) = id_colors(np.array([3]))
    above = drawn[80:99, 98:125].reshape(-1, 3)
    assert (above == color).all(axis=1).sum() > 50
    without = drawn[80:99, 150:180].reshape(-1, 3)
    assert (without == 100).all()


def test_nearer_boxes_lie_on_top():
    boxes = np.array([[50.0, 50.0, 150.0, 220.0], [150.0, 50.0, 250.0, 180.0]])
    for order in ([0, 1], [1, 0]):
        drawn = draw_tracks(grey(), boxes[order], np.array([1, 2])[order])
        np.testing.assert_array_equal(drawn[120, 150], id_colors(np.array([1]))[0])


def test_permuting_the_rows_changes_nothing():
    rng = np.random.default_rng(0)
    boxes = np.cumsum(rng.uniform(10, 60, (8, 2, 2)), axis=1).reshape(8, 4)
    ids, scores = np.arange(8), rng.random(8)
    order = rng.permutation(8)
    np.testing.assert_array_equal(
        draw_tracks(grey(), boxes, ids, scores),
        draw_tracks(grey(), boxes[order], ids[order], scores[order]),
    )


@pytest.mark.parametrize(
    "box",
    [
        [-50.0, -40.0, 30.0, 60.0],
        [290.0, 200.0, 500.0, 400.0],
        [-1e9, -1e9, 1e9, 1e9],
        [400.0, 400.0, 420.0, 440.0],
        [10.0, 10.0, 10.0, 10.0],
    ],
)
def test_boxes_over_the_border_are_cut_off(box):
    drawn = draw_tracks(grey(), np.array([box]), np.array([1234567]), np.array([0.5]))
    assert drawn.shape == (240, 320, 3)


def test_a_tag_at_the_border_is_moved_into_the_image():
    color = id_colors(np.array([1234567]))[0]
    drawn = draw_tracks(grey(), np.array([[300.0, 0.0, 319.0, 100.0]]), np.array([1234567]))
    columns = np.flatnonzero((drawn[:12] == color).all(axis=2).any(axis=0))
    assert columns.min() < 280  # the tag is wider than what is left of the image beside the box


def test_zero_tracks_leave_the_image_as_it_is():
    np.testing.assert_array_equal(draw_tracks(grey(), NO_BOXES, NO_IDS), grey())
    np.testing.assert_array_equal(
        draw_tracks(grey(), [], [], [], [], TrailBuffer().trails()),  # type: ignore[arg-type]
        grey(),
    )


def test_scores_and_class_names_make_the_tag_longer():
    box, one = np.array([[100.0, 100.0, 160.0, 200.0]]), np.array([1])
    color = id_colors(one)[0]

    def width(**kwargs) -> int:
        drawn = draw_tracks(grey(), box, one, **kwargs)
        return int((drawn[88] == color).all(axis=1).sum())

    score, label = np.array([0.9]), np.array([1])
    plain = width()
    assert plain < width(scores=score)
    assert plain < width(labels=label, class_names=("person", "car"))
    assert plain == width(labels=label)


def test_the_bar_darkens_the_corner_and_nothing_else():
    drawn = draw_tracks(grey(), NO_BOXES, NO_IDS, frame_number=12, fps=23.4)
    assert drawn[1, 1].max() < 60
    assert (drawn[:15, :100] > 200).any()  # white letters
    np.testing.assert_array_equal(drawn[60:], grey()[60:])


def test_a_tiny_image_can_be_drawn_on():
    drawn = draw_tracks(grey(4, 3), np.array([[0.0, 0.0, 3.0, 2.0]]), np.array([1]), fps=1.0)
    assert drawn.shape == (3, 4, 3)


def test_sizes_follow_the_image():
    small, large = Style.for_image(grey(320, 240)), Style.for_image(grey(1920, 1080))
    assert small.line < large.line
    assert small.font < large.font


@pytest.mark.parametrize(
    "image", [grey()[..., 0], grey().astype(np.float32), np.zeros((0, 10, 3), np.uint8)]
)
def test_images_that_cannot_be_drawn_on(image):
    with pytest.raises(ValueError, match=r"expected a \(H, W, 3\) uint8 BGR image, got shape"):
        draw_tracks(image, NO_BOXES, NO_IDS)


def test_arrays_of_unequal_length():
    with pytest.raises(ValueError, match="ids has 1 rows where bboxes has 2"):
        draw_tracks(grey(), np.zeros((2, 4)), np.array([1]))
    with pytest.raises(ValueError, match=r"bboxes must have shape \(N, 4\)"):
        draw_tracks(grey(), np.zeros((2, 5)), np.array([1, 2]))


# ----------------------------------------------------------------------------------------- trails


def test_segments_join_the_bottom_centres_of_a_track():
    buffer = TrailBuffer(length=10)
    buffer.update(0, np.array([[0.0, 0.0, 10.0, 20.0], [50.0, 0.0, 60.0, 30.0]]), np.array([1, 2]))
    buffer.update(1, np.array([[52.0, 0.0, 62.0, 31.0], [2.0, 0.0, 12.0, 21.0]]), np.array([2, 1]))
    trails = buffer.update(2, np.array([[4.0, 0.0, 14.0, 22.0]]), np.array([1])).trails()
    assert trails.ids.tolist() == [1, 2, 1]
    assert trails.ages.tolist() == [1, 1, 0]
    np.testing.assert_array_equal(
        trails.segments,
        [[[5, 20], [7, 21]], [[55, 30], [57, 31]], [[7, 21], [9, 22]]],
    )


def test_old_positions_are_forgotten():
    buffer = TrailBuffer(length=3)
    for frame in range(10):
        buffer.update(frame, np.array([[frame, 0.0, frame + 2.0, 5.0]]), np.array([1]))
    assert len(buffer) == 3
    trails = buffer.trails()
    assert trails.segments[:, :, 0].tolist() == [[8.0, 9.0], [9.0, 10.0]]
    for frame in range(10, 13):
        buffer.update(frame, NO_BOXES, NO_IDS)
    assert len(buffer) == 0
    assert len(buffer.trails()) == 0


@pytest.mark.parametrize(("gap", "segments"), [(1, 1), (5, 1), (6, 0)])
def test_a_long_gap_is_not_bridged(gap, segments):
    buffer = TrailBuffer(length=30, max_gap=5)
    buffer.update(0, np.array([[0.0, 0.0, 10.0, 20.0]]), np.array([1]))
    buffer.update(gap, np.array([[9.0, 0.0, 19.0, 20.0]]), np.array([1]))
    assert len(buffer.trails()) == segments


def test_a_frame_that_goes_back_starts_afresh():
    buffer = TrailBuffer()
    buffer.update(5, np.array([[0.0, 0.0, 10.0, 20.0]]), np.array([1]))
    buffer.update(0, np.array([[9.0, 0.0, 19.0, 20.0]]), np.array([1]))
    assert len(buffer) == 1
    assert len(buffer.trails()) == 0


def test_unusable_trail_settings():
    with pytest.raises(ValueError, match="must be at least 1, got 0 and 5"):
        TrailBuffer(length=0)
    with pytest.raises(ValueError, match="expected one id a box, got 1 boxes and 2 ids"):
        TrailBuffer().update(0, np.zeros((1, 4)), np.array([1, 2]))


def test_trails_have_the_colour_of_the_id_and_fade():
    y = 120.0
    segments = np.array([[[x, y], [x + 100.0, y]] for x in (10.0, 110.0, 210.0)])
    trails = Trails(segments, np.array([4, 4, 4]), np.array([20, 10, 0]), length=30)
    drawn = draw_trails(grey(), trails, Style(line=5, font=12, pad=2)).astype(float)
    color = id_colors(np.array([4]))[0].astype(float)
    shares = [
        np.linalg.norm(drawn[120, x] - 100.0) / np.linalg.norm(color - 100.0)
        for x in (60, 160, 260)
    ]
    np.testing.assert_allclose(shares, [0.85 / 3, 0.85 * 2 / 3, 0.85], atol=0.03)
    np.testing.assert_array_equal(drawn[100], grey()[100])


def test_trails_far_outside_the_image_do_no_harm():
    segments = np.array([[[-1e9, 5.0], [1e9, 5.0]], [[np.inf, 0.0], [5.0, 5.0]]])
    drawn = draw_trails(grey(), Trails(segments, np.array([1, 2]), np.array([0, 0]), 30))
    assert drawn.shape == grey().shape


# ------------------------------------------------------------------------------------------- text


def test_masks_of_one_size_have_one_height():
    assert text_mask("1", 14).shape[0] == text_mask("gj", 14).shape[0]
    assert text_mask("11", 14).shape[1] > text_mask("1", 14).shape[1]
    assert text_mask("8", 14).max() == 255
    assert text_mask("", 14).max() == 0


@pytest.mark.parametrize("corner", [(-5, -5), (310, 235), (400, 10), (10, -400)])
def test_text_outside_the_image_is_cut_off(corner):
    image = grey()
    put_text(image, "12345", corner, 14, (255, 255, 255))
    assert image.shape == (240, 320, 3)


def test_text_is_mixed_with_the_ground_by_its_coverage():
    image = grey(60, 30, 0)
    put_text(image, "8", (10, 5), 16, (255, 0, 100))
    mask = text_mask("8", 16)
    region = image[5 : 5 + mask.shape[0], 10 : 10 + mask.shape[1]]
    np.testing.assert_array_equal(region[..., 0], mask)
    assert region[..., 1].max() == 0
    np.testing.assert_allclose(region[..., 2], mask * (100 / 255), atol=0.51)
