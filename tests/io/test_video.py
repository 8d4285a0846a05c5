"""Video in and out: what is written is what comes back."""

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdeepmot.io import video_writer
from mmdeepmot.io.image import ImageError
from mmdeepmot.io.video import VideoWriter, natural_key, open_video, prefetch

CODECS = ("h264", "vp9")
TAGS = {"h264": b"avc1", "vp9": b"vp09"}  # what browsers look for in the sample description


def flat(color: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> np.ndarray:
    return np.full((size[1], size[0], 3), color, dtype=np.uint8)


def write_images(folder: Path, names: list[str], size: tuple[int, int] = (32, 24)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for value, name in enumerate(names, start=1):
        assert cv2.imwrite(str(folder / name), flat((value * 10,) * 3, size))
    return folder


def need(codec: str) -> None:
    if codec == "h264":
        pytest.importorskip("av", reason="PyAV is not installed: no H.264")


# ------------------------------------------------------------------------------------ round trip


@pytest.mark.parametrize("codec", CODECS)
def test_round_trip_keeps_count_size_fps_and_colours(tmp_path, codec):
    need(codec)
    colors = [(0, 0, 255), (0, 255, 0), (255, 0, 0), (128, 128, 128), (30, 60, 200)]
    path = tmp_path / "new" / "video.mp4"
    with VideoWriter(path, 12.5, (64, 48), codec=codec) as writer:
        for color in colors:
            for _ in range(3):
                writer.write(flat(color))
    assert writer.codec == codec
    assert writer.count == 15

    with open_video(path) as source:
        assert (source.size, source.length, source.name) == ((64, 48), 15, "video")
        assert source.fps == pytest.approx(12.5)
        frames = list(source)
    assert len(frames) == 15
    for index, color in enumerate(colors):
        np.testing.assert_allclose(frames[3 * index + 1].mean(axis=(0, 1)), color, atol=8)


@pytest.mark.parametrize("codec", CODECS)
def test_the_file_holds_a_codec_that_browsers_play(tmp_path, codec):
    need(codec)
    path = tmp_path / "video.mp4"
    with VideoWriter(path, 25, codec=codec) as writer:
        writer.write(flat((10, 20, 30)))
    data = path.read_bytes()
    assert TAGS[codec] in data
    assert b"mp4v" not in data
    if codec == "h264":
        assert data.index(b"moov") < data.index(b"mdat")  # playable before it is loaded whole


def test_h264_is_yuv420p_with_tagged_colours(tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed: no H.264")
    with VideoWriter(tmp_path / "video.mp4", 30000 / 1001) as writer:
        for _ in range(3):
            writer.write(flat((200, 100, 50)))
    with av.open(str(tmp_path / "video.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert float(stream.average_rate) == pytest.approx(29.97, abs=1e-3)
        frame = next(container.decode(stream))
        assert frame.colorspace == 6  # BT.601
        np.testing.assert_allclose(
            frame.to_ndarray(format="bgr24").mean(axis=(0, 1)), (200, 100, 50), atol=6
        )


@pytest.mark.parametrize("codec", CODECS)
def test_odd_sizes_are_padded_by_the_border(tmp_path, codec):
    need(codec)
    image = flat((40, 40, 40), (65, 49))
    image[-1], image[:, -1] = 200, 200
    with VideoWriter(tmp_path / "odd.mp4", 5, (65, 49), codec=codec) as writer:
        writer.write(image)
    (frame,) = open_video(tmp_path / "odd.mp4")
    assert frame.shape == (50, 66, 3)
    assert frame[-1].mean() == pytest.approx(200, abs=25)
    assert frame[:40, :40].mean() == pytest.approx(40, abs=10)


def test_padding_repeats_the_last_row_and_column_exactly():
    image = np.arange(5 * 3 * 3, dtype=np.uint8).reshape(5, 3, 3)
    padded = video_writer._pad_to_even(image)
    assert padded.shape == (6, 4, 3)
    np.testing.assert_array_equal(padded[:5, :3], image)
    np.testing.assert_array_equal(padded[5, :3], image[4])
    np.testing.assert_array_equal(padded[:, 3], padded[:, 2])


def test_without_pyav_opencv_writes_vp9(tmp_path, monkeypatch):
    monkeypatch.setattr(video_writer.importlib.util, "find_spec", lambda name: None)
    with VideoWriter(tmp_path / "video.mp4", 5) as writer:
        writer.write(flat((1, 2, 3)))
    assert writer.codec == "vp9"
    with pytest.raises(ModuleNotFoundError, match="pip install av"):
        VideoWriter(tmp_path / "video.mp4", 5, codec="h264")


# --------------------------------------------------------------------------------- writer's edges


def test_a_frame_of_another_size_is_an_error_and_keeps_what_was_written(tmp_path):
    path = tmp_path / "video.mp4"
    with (
        pytest.raises(ValueError, match=r"video.mp4: frame 3: expected 64x48 px, got 32x48"),
        VideoWriter(path, 10, (64, 48)) as writer,
    ):
        writer.write(flat((0, 0, 0)))
        writer.write(flat((0, 0, 0)))
        assert not path.exists()  # not in its place before it is whole
        writer.write(flat((0, 0, 0), (32, 48)))
    assert len(list(open_video(path))) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["video.mp4"]


def test_interrupted_writing_keeps_the_frames_and_an_old_file_until_then(tmp_path):
    path = tmp_path / "video.mp4"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), VideoWriter(path, 10) as writer:
        for _ in range(4):
            writer.write(flat((9, 9, 9)))
        assert path.read_bytes() == b"old"
        raise KeyboardInterrupt
    assert len(list(open_video(path))) == 4


def test_without_frames_no_file_is_made(tmp_path):
    with VideoWriter(tmp_path / "video.mp4", 10) as writer:
        pass
    writer.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "fps", "size", "message"),
    [
        ("video.avi", 10, None, r"video.avi: expected a file name that ends in .mp4"),
        ("video.mp4", 0, None, r"fps must lie in \(0, 1000\], got 0"),
        ("video.mp4", float("nan"), None, r"got nan"),
        ("video.mp4", 10, (0, 5), r"positive \(width, height\), got \(0, 5\)"),
    ],
)
def test_unusable_settings(tmp_path, name, fps, size, message):
    with pytest.raises(ValueError, match=message):
        VideoWriter(tmp_path / name, fps, size)


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), flat((0, 0, 0))[..., :1]]
)
def test_a_frame_that_is_no_bgr_image(tmp_path, image):
    writer = VideoWriter(tmp_path / "video.mp4", 10)
    with pytest.raises(ValueError, match=r"frame 1: expected a \(H, W, 3\) uint8 BGR image"):
        writer.write(image)


def test_unknown_codec(tmp_path):
    with pytest.raises(ValueError, match="codec must be one of"):
        VideoWriter(tmp_path / "video.mp4", 10, codec="mp4v")  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------- folders


def test_images_come_in_natural_order(tmp_path):
    write_images(tmp_path, ["frame1.png", "frame2.png", "frame10.png"])
    source = open_video(tmp_path)
    assert (source.length, source.size, source.fps) == (3, (32, 24), 30.0)
    assert [int(frame[0, 0, 0]) for frame in source] == [10, 20, 30]
    assert [index for index, _ in source.numbered()] == [0, 1, 2]
    assert len(list(source)) == 3  # again and again


def test_natural_key_handles_names_that_begin_with_a_number():
    names = ["10.jpg", "2.jpg", "a.jpg", "B1.jpg", "b.jpg"]
    assert sorted(names, key=natural_key) == ["2.jpg", "10.jpg", "a.jpg", "B1.jpg", "b.jpg"]


@pytest.mark.parametrize("inner", ["", "img1"])
def test_mot_challenge_folder_knows_its_frame_rate(tmp_path, inner):
    folder = tmp_path / "SEQ-01"
    write_images(folder / "img1", ["000001.png", "000002.png"])
    (folder / "seqinfo.ini").write_text("[Sequence]\nname=SEQ-01\nimDir=img1\nframeRate=14\n")
    source = open_video(folder / inner)
    assert (source.fps, source.length) == (14.0, 2)
    assert open_video(folder, fps=7).fps == 7


def test_single_image(tmp_path):
    write_images(tmp_path, ["one.png"])
    assert len(list(open_video(tmp_path / "one.png"))) == 1


def truncate(path: Path, share: float = 0.5) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


@pytest.fixture
def logged(monkeypatch) -> list[str]:
    messages: list[str] = []
    monkeypatch.setattr("mmdeepmot.io.video.print_log", lambda text, **_: messages.append(text))
    return messages


def test_unreadable_images_are_skipped_and_counted(tmp_path, logged):
    folder = write_images(tmp_path, [f"{i}.jpg" for i in range(1, 7)], (200, 200))
    truncate(folder / "2.jpg")
    (folder / "5.jpg").write_bytes(b"")
    source = open_video(folder)
    assert [index for index, _ in source.numbered()] == [0, 2, 3, 5]
    assert source.skipped == 2
    assert len(logged) == 1
    assert "skipped 2 unreadable of 6 images, frames 2, 5; first:" in logged[0]
    assert "2.jpg: image is truncated" in logged[0]


def test_unreadable_image_is_an_error_where_asked_for(tmp_path):
    folder = write_images(tmp_path, ["1.jpg", "2.jpg"], (200, 200))
    truncate(folder / "2.jpg")
    with pytest.raises(ImageError, match=r"frame 2: .*2.jpg: image is truncated"):
        list(open_video(folder, on_error="raise"))


def test_a_folder_without_any_readable_image(tmp_path):
    (tmp_path / "1.jpg").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"no image can be read: .*1.jpg"):
        open_video(tmp_path)


@pytest.mark.parametrize("read_ahead", [0, 3])
def test_image_size_that_changes_is_an_error_naming_the_frame(tmp_path, read_ahead):
    write_images(tmp_path, ["1.png", "2.png"])
    cv2.imwrite(str(tmp_path / "3.png"), flat((0, 0, 0), (40, 24)))
    frames = iter(open_video(tmp_path, read_ahead=read_ahead))
    assert len([next(frames), next(frames)]) == 2
    with pytest.raises(ValueError, match=r"frame 3 \(.*3.png\): expected 32x24 px .* got 40x24"):
        next(frames)


def test_missing_or_empty_places(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a video file, a folder of images or a"):
        open_video(tmp_path / "nothing.mp4")
    with pytest.raises(FileNotFoundError, match=r"expected images .* found none$"):
        open_video(tmp_path)
    (tmp_path / "SEQ-02").mkdir()
    with pytest.raises(FileNotFoundError, match=r"holds the folders SEQ-02: name one of them"):
        open_video(tmp_path)
    with pytest.raises(ValueError, match=r"fps must lie in"):
        open_video(tmp_path, fps=-1)
    with pytest.raises(ValueError, match=r"on_error must be 'skip' or 'raise', got 'ignore'"):
        open_video(tmp_path, on_error="ignore")  # type: ignore[arg-type]


# ------------------------------------------------------------------------------- files and cameras


def test_a_file_that_is_no_video(tmp_path):
    (tmp_path / "video.mp4").write_bytes(b"not a video" * 100)
    with pytest.raises(ImageError, match=r"video.mp4: expected a video, but it cannot be opened"):
        open_video(tmp_path / "video.mp4")


def noisy_video(path: Path, count: int = 40) -> Path:
    rng = np.random.default_rng(0)
    with VideoWriter(path, 25) as writer:
        for _ in range(count):
            writer.write(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    return path


def test_truncated_video_gives_what_it_has_and_one_warning(tmp_path, logged):
    pytest.importorskip("av", reason="PyAV is not installed: no file with the index in front")
    path = noisy_video(tmp_path / "video.mp4")
    truncate(path, 0.6)
    source = open_video(path)
    assert source.length == 40
    count = len(list(source))
    assert 5 <= count < 40
    assert source.skipped == 40 - count
    assert len(logged) == 1
    assert f"ended after frame {count} where the file announces 40 frames" in logged[0]
    with pytest.raises(ImageError, match="are missing"):
        list(open_video(path, on_error="raise"))


class FakeCapture:
    """Three frames of a camera that states no frame rate."""

    opened = True

    def __init__(self, index: int) -> None:
        self.left = 3 if index == 0 else 0
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802
        return self.left > 0

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return (True, flat((self.left,) * 3)) if self.left >= 0 else (False, None)

    def get(self, key: int) -> float:
        return 0.0

    def release(self) -> None:
        self.released = True


@pytest.mark.parametrize("source", [0, "0"])
def test_camera(monkeypatch, logged, source):
    monkeypatch.setattr("mmdeepmot.io.video.cv2.VideoCapture", FakeCapture)
    with open_video(source) as camera:
        assert (camera.name, camera.length, camera.fps) == ("camera0", None, 30.0)
        assert [int(frame[0, 0, 0]) for frame in camera] == [2, 1, 0]
    assert camera._capture.released  # type: ignore[attr-defined]
    assert any("gave no further frame after 3" in text for text in logged)


def test_camera_that_is_not_there(monkeypatch):
    monkeypatch.setattr("mmdeepmot.io.video.cv2.VideoCapture", FakeCapture)
    with pytest.raises(ImageError, match="camera 7: no frame can be read"):
        open_video(7)


# ------------------------------------------------------------------------------------ read-ahead


def test_prefetch_keeps_order_and_hands_on_the_error_at_its_place():
    def numbers():
        yield from range(5)
        raise OSError("disk gone")

    got = []
    with pytest.raises(OSError, match="disk gone"):
        for number in prefetch(numbers(), 2):
            got.append(number)
    assert got == [0, 1, 2, 3, 4]
    assert list(prefetch([], 1)) == []
    with pytest.raises(ValueError, match="depth must be at least 1, got 0"):
        prefetch([], 0)


def test_prefetch_runs_ahead_by_no_more_than_its_depth_and_stops_with_the_consumer():
    made: list[int] = []

    def numbers():
        for number in range(1000):
            made.append(number)
            yield number

    before = threading.active_count()
    iterator = prefetch(numbers(), 3)
    assert next(iterator) == 0
    deadline = time.monotonic() + 5
    while len(made) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(made) == 5  # one consumed, three waiting, one in hand
    iterator.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
    assert len(made) == 5


def test_read_ahead_gives_the_same_frames(tmp_path):
    path = noisy_video(tmp_path / "video.mp4", 12)
    plain, ahead = list(open_video(path)), list(open_video(path, read_ahead=4))
    assert len(plain) == len(ahead) == 12
    for one, other in zip(plain, ahead, strict=True):
        np.testing.assert_array_equal(one, other)
