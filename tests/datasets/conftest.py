"""Tiny datasets on disk."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

SequenceWriter = Callable[..., Path]


def write_image(path: Path, size: tuple[int, int] = (64, 48), seed: int = 0) -> None:
    """A noise image (PNG or JPEG by its suffix) of ``size`` (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), image)


@pytest.fixture
def write_sequence(tmp_path: Path) -> SequenceWriter:
    """Writes ``tmp_path/data/NAME`` with images, ground truth rows, detections, seqinfo.ini."""

    def write(
        name: str = "MOT17-02-FRCNN",
        *,
        length: int = 4,
        size: tuple[int, int] = (64, 48),
        gt: Sequence[str] | None = ("1,1,10,10,8,16,1,1,1", "2,1,11,10,8,16,1,1,0.5"),
        det: Sequence[str] | None = None,
        images: bool = True,
    ) -> Path:
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        (folder / "seqinfo.ini").write_text(
            f"[Sequence]\nname={name}\nimDir=img1\nframeRate=25\nseqLength={length}\n"
            f"imWidth={size[0]}\nimHeight={size[1]}\nimExt=.png\n"
        )
        for number in range(1, length + 1 if images else 1):
            write_image(folder / "img1" / f"{number:06d}.png", size, seed=number)
        for kind, rows in (("gt", gt), ("det", det)):
            if rows is not None:
                (folder / kind).mkdir()
                text = "".join(f"{row}\n" for row in rows)
                (folder / kind / f"{kind}.txt").write_text(text)
        return folder

    return write


@pytest.fixture
def write_list(tmp_path: Path) -> Callable[..., Path]:
    """Writes images, labels_with_ids and a list file under ``tmp_path/joint``."""

    def write(
        labels: dict[str, str | None],
        name: str = "set.train",
        size: tuple[int, int] = (64, 48),
    ) -> Path:
        root = tmp_path / "joint"
        for row, (image, text) in enumerate(labels.items()):
            write_image(root / image, size, seed=row)
            if text is not None:
                file = root / image.replace("images", "labels_with_ids")
                file = file.with_suffix(".txt")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        (root / name).write_text("".join(f"{image}\n" for image in labels))
        return root / name

    return write
