"""Image headers and decoding."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mmdeepmot.io import ImageError, image_size, read_image, read_seqinfo


def noise(height: int = 48, width: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_size_from_the_header(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), noise())
    assert image_size(path) == (64, 48)
    assert read_image(path).shape == (48, 64, 3)


def test_png_values_survive(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), noise())
    assert np.array_equal(read_image(tmp_path / "a.png"), noise())


def test_size_and_pixels_agree_on_a_turned_photograph(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise()).save(tmp_path / "a.jpg", exif=exif)
    assert image_size(tmp_path / "a.jpg") == (48, 64)
    assert read_image(tmp_path / "a.jpg").shape == (64, 48, 3)


def test_missing(tmp_path: Path) -> None:
    for read in (image_size, read_image):
        with pytest.raises(ImageError, match=r"a\.png: image not found"):
            read(tmp_path / "a.png")


def test_empty(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"a\.png: image file is empty"):
        read_image(tmp_path / "a.png")
    with pytest.raises(ImageError, match=r"a\.png: expected an image file"):
        image_size(tmp_path / "a.png")


def test_not_an_image(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("hello" * 100)
    with pytest.raises(ImageError, match=r"a\.jpg: expected an image, but it cannot be decoded"):
        read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_truncated(tmp_path: Path, suffix: str, part: float) -> None:
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), noise(300, 400))
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(ImageError, match=rf"a\{suffix}: image is truncated"):
        read_image(path)


def test_sequence_folder_without_seqinfo(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        cv2.imwrite(str(tmp_path / f"{number:06d}.png"), noise())
    info = read_seqinfo(tmp_path)
    assert (info.size, info.length, info.fps, info.image_ext) == ((64, 48), 3, 30, ".png")
    assert info.image_dir == tmp_path
    assert info.name == tmp_path.name


def test_an_end_marker_in_the_thumbnail_is_not_the_image_s(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    cv2.imwrite(str(path), noise(300, 400))
    data = path.read_bytes()
    thumbnail = cv2.imencode(".jpg", noise())[1].tobytes()
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    path.write_bytes(data[:2] + segment + data[2:])
    assert read_image(path).shape == (300, 400, 3)
    path.write_bytes((data[:2] + segment + data[2:])[:-2000])
    with pytest.raises(ImageError, match="truncated"):
        read_image(path)


def test_bytes_after_the_end_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    cv2.imwrite(str(path), noise())
    path.write_bytes(path.read_bytes() + b"maker's notes" * 1000)
    assert read_image(path).shape == (48, 64, 3)
