"""The feed of camera motion: from frame to frame, whoever asks for which of them."""

import numpy as np
import pytest

from mmdeepmot.motion import CameraFeed


class Shifts:
    """Stands for an estimator: an image is its camera's position, the motion the difference."""

    def __init__(self):
        self.reset()
        self.boxes = []

    def reset(self):
        self.forget()

    def forget(self):
        self.last = None

    def estimate(self, image, boxes=None):
        last, self.last = self.last, image
        self.boxes.append(boxes)
        return np.array([[1.0, 0, 0 if last is None else image - last], [0, 1, 0]])


POSITIONS = [3.0, 4, 8, 2, 5]


@pytest.fixture
def loads():
    return []


@pytest.fixture
def warps(loads):
    """The warps of five frames that are handed over at once."""
    feed = CameraFeed(Shifts())

    def image(index):
        loads.append(index)
        return POSITIONS[index]

    return [feed.frame(i, lambda i=i: image(i)) for i in range(len(POSITIONS))]


def shift(warp):
    return warp()[0, 2]


def test_in_order_every_image_is_looked_at_once(warps, loads):
    assert [shift(warp) for warp in warps] == [0, 1, 4, -6, 3]
    assert loads == [0, 1, 2, 3, 4]


def test_a_sequence_can_be_tracked_again(warps):
    for _ in range(2):
        assert [shift(warp) for warp in warps] == [0, 1, 4, -6, 3]


def test_frames_that_nobody_asked_for_do_not_matter(warps, loads):
    assert [shift(warps[i]) for i in (1, 4)] == [1, 3]
    assert loads == [0, 1, 3, 4]
    assert shift(warps[2]) == 4
    assert shift(warps[2]) == 4


def test_nothing_is_looked_at_before_it_is_asked_for(warps, loads):
    assert loads == []


def test_frames_that_are_missing_are_stepped_over():
    feed = CameraFeed(Shifts())
    first, later = feed.frame(2, lambda: 10.0), feed.frame(9, lambda: 17.0)
    assert (shift(first), shift(later)) == (0, 7)


def test_a_saved_tracker_goes_on_after_its_last_frame_was_handed_over():
    feed = CameraFeed(Shifts())
    feed.frame(2, lambda: POSITIONS[2])
    assert shift(feed.frame(3, lambda: POSITIONS[3])) == -6


def test_reset_begins_a_sequence():
    feed = CameraFeed(Shifts())
    feed.frame(5, lambda: 3.0)()
    feed.reset()
    assert shift(feed.frame(0, lambda: 4.0)) == 0


def test_images_of_another_resolution():
    """Image px are half as many in x, a quarter in y: 4 px of the image are 8 of the original."""
    estimator = Shifts()
    feed = CameraFeed(estimator)
    box = np.array([[8.0, 8, 16, 24]])
    feed.frame(0, lambda: 1.0, box, (0.5, 0.25))()
    np.testing.assert_allclose(
        feed.frame(1, lambda: 5.0, None, (0.5, 0.25))(), [[1, 0, 8], [0, 1, 0]]
    )
    np.testing.assert_array_equal(estimator.boxes[0], [[4, 2, 8, 6]])
    assert estimator.boxes[1] is None


def test_frames_come_in_order():
    feed = CameraFeed(Shifts())
    feed.frame(4, lambda: 0.0)
    with pytest.raises(ValueError, match=r"frame 4 came after frame 4.*reset\(\)"):
        feed.frame(4, lambda: 0.0)
