"""Maps over cells brought to the image, and their colours."""

import cv2
import numpy as np
import pytest

from mmdeepmot.visualization.similarity import (
    heat_overlay,
    highest,
    plot_similarity,
    similarity_on_image,
)

EXACT = 1 / 32  # OpenCV interpolates between 32 places of a cell


def ramp(height: int = 6, width: int = 8) -> np.ndarray:
    """Every cell holds its column."""
    return np.tile(np.arange(width, dtype=np.float32), (height, 1))


@pytest.mark.parametrize(
    ("stride", "origin", "scale", "pad"),
    [(4, 0.0, 1.0, 0), (4, 2.0, 1.0, 0), (8, 0.0, 0.5, 8), (8, 4.0, 2.0, 3), (4, 2.0, 0.25, 5)],
)
def test_pixels_lie_where_the_input_and_its_cells_do(stride, origin, scale, pad):
    """The centre of pixel x is at (x + 0.5) * scale + pad of the input."""
    size = (20, 12)
    for axis in (0, 1):
        cells = ramp() if axis == 0 else ramp().T
        offsets = (pad, 0) if axis == 0 else (0, pad)
        got = similarity_on_image(cells, stride, origin, (scale, scale), offsets, size)
        assert got.shape == (12, 20)
        pixels = np.arange(size[axis]) + 0.5
        expected = np.clip((pixels * scale + pad - origin) / stride, 0, 7)
        line = got[5] if axis == 0 else got[:, 5]
        assert line == pytest.approx(expected, abs=EXACT)
        assert (got == (line[None] if axis == 0 else line[:, None])).all()


def test_axes_may_be_scaled_differently():
    cells = np.zeros((4, 4), dtype=np.float32)
    cells[1, 2] = 1
    got = similarity_on_image(cells, 8, 4.0, (0.5, 2.0), (0, 0), (64, 16))
    # Cell (row 1, column 2) stands for (20, 12) of the input: (40, 6) of the image.
    rows, columns = np.nonzero(got > 0.8)
    assert (columns.min() + 0.5, columns.max() + 0.5) == (39.5, 40.5)
    assert (rows.min() + 0.5, rows.max() + 0.5) == (5.5, 6.5)


def test_a_person_is_found_on_any_scale():
    maps = [np.array([[0.1, 0.9]]), np.array([[0.5, -0.2]]), np.array([[-1.0, 0.0]])]
    assert highest(maps).tolist() == [[0.5, 0.9]]
    assert highest(maps[:1]).tolist() == maps[0].tolist()


def test_what_is_not_similar_stays_grey_and_the_rest_takes_the_colour_of_its_value():
    image = np.full((2, 3, 3), (10, 120, 240), dtype=np.uint8)
    before = image.copy()
    got = heat_overlay(image, np.array([[-1.0, 0.0, 0.25], [0.5, 1.0, 7.0]])).astype(int)
    assert (image == before).all()
    grey = 0.7 * cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[0, 0]
    assert (abs(got[0, :2] - grey) <= 0.5).all()
    colours = cv2.applyColorMap(
        np.array([[64, 128, 255]], dtype=np.uint8), cv2.COLORMAP_TURBO
    ).astype(float)[0]
    quarter = 0.375 * colours[0] + 0.625 * grey  # half of the opacity 0.75
    assert got[0, 2] == pytest.approx(quarter, abs=0.51)
    assert got[1, 0] == pytest.approx(0.75 * colours[1] + 0.25 * grey, abs=0.51)
    assert got[1, 1] == pytest.approx(0.75 * colours[2] + 0.25 * grey, abs=0.51)
    assert (got[1, 2] == got[1, 1]).all()


def test_a_map_of_another_size_is_refused():
    image = np.zeros((4, 6, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"every pixel of the image, \(4, 6\), got \(6, 4\)"):
        heat_overlay(image, np.zeros((6, 4)))
    with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8"):
        heat_overlay(image.astype(float), np.zeros((4, 6)))


def test_the_picture_shows_both_frames(tmp_path):
    frame = np.full((90, 160, 3), 60, dtype=np.uint8)
    heat = np.zeros((90, 160), dtype=np.float32)
    heat[30:60, 100:120] = 1
    box = np.array([20.0, 20, 40, 70])
    for name, answer in (("with", box), ("without", None)):
        path = tmp_path / f"{name}.png"
        plot_similarity(path, (frame, frame), box, heat, answer, ("left", "right"))
    with_answer, without = (cv2.imread(str(tmp_path / f"{n}.png")) for n in ("with", "without"))
    assert with_answer.shape == without.shape and with_answer.shape[1] > 1.7 * 840
    middle = with_answer.shape[1] // 2
    assert (with_answer[:, : middle - 100] == without[:, : middle - 100]).all()
    assert (with_answer != without).any()
    yellow = (with_answer[..., 2] > 200) & (with_answer[..., 1] > 150) & (with_answer[..., 0] < 60)
    assert np.nonzero(yellow[:, : middle - 100])[0].size > 200
