"""Videos of tracks, and the window's guard."""

import numpy as np
import pytest

from mmdeepmot.io.video import open_video
from mmdeepmot.visualization import TrackVideo, window
from mmdeepmot.visualization.colors import id_colors


def test_frames_are_drawn_and_written(tmp_path):
    image = np.full((120, 160, 3), 90, dtype=np.uint8)
    with TrackVideo(tmp_path / "tracks.mp4", fps=10) as video:
        for index in range(6):
            box = np.array([[20.0 + 10 * index, 30.0, 50.0 + 10 * index, 100.0]])
            drawn = video.write(image, index, box, np.array([3]))
        np.testing.assert_array_equal(drawn[65, 70], id_colors(np.array([3]))[0])
        trail = drawn[100, 35:65].astype(int)
        assert (np.abs(trail - 90).max(axis=1) > 20).mean() > 0.8  # where it came from
        assert (image == 90).all()
    frames = list(open_video(tmp_path / "tracks.mp4"))
    assert len(frames) == 6
    assert np.abs(frames[-1].astype(int) - drawn).mean() < 12


def test_without_a_path_and_without_trails(tmp_path):
    image = np.full((120, 160, 3), 90, dtype=np.uint8)
    with TrackVideo(None, trail_length=0) as video:
        for index in range(3):
            box = np.array([[20.0 + 30 * index, 30.0, 40.0 + 30 * index, 100.0]])
            drawn = video.write(image, index, box, np.array([3]))
    np.testing.assert_array_equal(drawn[95:105, 20:70], image[95:105, 20:70])


def test_class_names_are_shown_only_where_there_are_several(tmp_path):
    image = np.full((120, 160, 3), 90, dtype=np.uint8)
    box, one = np.array([[40.0, 60.0, 80.0, 100.0]]), np.array([1])

    def drawn(names: tuple[str, ...]) -> np.ndarray:
        return TrackVideo(None, class_names=names).write(image, 0, box, one, labels=np.array([0]))

    np.testing.assert_array_equal(drawn(("pedestrian",)), drawn(()))
    assert (drawn(("pedestrian", "car")) != drawn(())).any()


def test_showing_without_a_screen_says_what_to_do(monkeypatch):
    monkeypatch.setattr(window.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(RuntimeError, match="neither DISPLAY nor WAYLAND_DISPLAY is set"):
        window.check_display()


def test_showing_with_an_opencv_without_windows(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(
        window.cv2, "getBuildInformation", lambda: "  GUI:                           NONE\n"
    )
    with pytest.raises(RuntimeError, match="install opencv-python"):
        window.check_display()
