"""Pictures of datasets: what is drawn where."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny import call, load_tool

from mmdeepmot.apis.browse import browse_items, choose_items
from mmdeepmot.datasets import IdentityCropDataset, JointDataset, MOTChallengeDataset
from mmdeepmot.errors import InputError
from mmdeepmot.visualization.annotations import (
    IGNORED_COLOR,
    UNKNOWN_COLOR,
    draw_annotations,
)
from mmdeepmot.visualization.colors import id_colors

LOAD = [{"type": "LoadFrame"}, {"type": "LoadTracks"}, {"type": "PackFrame"}]
TEST = [LOAD[0], {"type": "Letterbox", "size": (256, 192)}, *LOAD[1:]]
TRAIN = [*LOAD[:2], {"type": "Letterbox", "size": (256, 192)}, LOAD[2]]


def color_at(image: np.ndarray, x: float, y: float) -> list[int]:
    return image[round(y), round(x)].tolist()


class TestDrawing:
    IMAGE = np.zeros((200, 300, 3), dtype=np.uint8)

    def test_identities_unknown_ones_and_ignored_regions(self) -> None:
        boxes = np.array([[20, 40, 60, 120], [100, 40, 140, 120]], dtype=float)
        ignored = np.array([[200, 40, 240, 120]], dtype=float)
        drawn = draw_annotations(self.IMAGE, boxes, np.array([5, -1]), ignored=ignored)
        assert color_at(drawn, 60, 80) == id_colors(np.array([5]))[0].tolist()
        assert color_at(drawn, 140, 80) == list(UNKNOWN_COLOR)
        assert color_at(drawn, 240, 80) == list(IGNORED_COLOR)
        assert not self.IMAGE.any()

    def test_classes_and_title_add_text_only(self) -> None:
        boxes, ids, labels = np.array([[60, 60, 100, 150.0]]), np.array([5]), np.array([1])
        plain = draw_annotations(self.IMAGE, boxes, ids)
        named = draw_annotations(
            self.IMAGE, boxes, ids, labels=labels, class_names=["person", "dog"], title="street 7"
        )
        changed = np.argwhere((plain != named).any(axis=2))
        assert len(changed)
        assert changed[:, 0].max() < 62

    def test_nothing(self) -> None:
        drawn = draw_annotations(self.IMAGE, np.zeros((0, 4)), np.zeros(0))
        assert np.array_equal(drawn, self.IMAGE)


class TestItems:
    def test_spread_or_in_a_row(self) -> None:
        assert choose_items(10, 4) == [0, 2, 5, 7]
        assert choose_items(3, 20) == [0, 1, 2]
        assert choose_items(10, 4, 8) == [8, 9]
        with pytest.raises(InputError, match=r"item 10: expected one of 0\.\.9"):
            choose_items(10, 4, 10)

    @pytest.mark.parametrize("pipeline", [TRAIN, TEST], ids=["train", "test"])
    def test_boxes_lie_on_the_resized_image(self, tiny_project: Path, pipeline: list) -> None:
        """The street is 128x96, so an input of 256x192 doubles it, whenever boxes are loaded."""
        dataset = MOTChallengeDataset("street", pipeline, sequences=["A"])
        drawn = next(browse_items(dataset, [0])).image
        assert drawn.shape == (192, 256, 3)
        box, identity = dataset.index.boxes.bboxes[2] * 2, dataset.index.boxes.identities[2]
        middle = float(box[[1, 3]].mean())
        assert color_at(drawn, box[2], middle) == id_colors(np.array([identity]))[0].tolist()

    def test_raw_is_the_file(self, tiny_project: Path) -> None:
        dataset = MOTChallengeDataset("street", TEST, view="video", clip_length=4)
        picture = next(browse_items(dataset, [1], raw=True))
        assert picture.name == "000001"
        assert picture.image.shape == (96, 128, 3)
        original = cv2.imread(dataset.index.paths[4])
        assert np.array_equal(picture.image[88:], original[88:])

    def test_clips_give_a_picture_a_frame(self, tiny_project: Path) -> None:
        dataset = MOTChallengeDataset("street", TEST, view="video", clip_length=4)
        names = [picture.name for picture in browse_items(dataset, [0, 1])]
        assert names == ["000000_0", "000000_1", "000000_2", "000000_3", "000001_0", "000001_1"]

    def test_parts_of_a_joint_set_and_crops(self, tiny_project: Path) -> None:
        parts = [MOTChallengeDataset("street", TRAIN, sequences=[name]) for name in ("A", "B")]
        joint = JointDataset(parts)
        second = next(browse_items(joint, [6], raw=True)).image
        alone = next(browse_items(parts[1], [0], raw=True)).image
        assert second.shape == alone.shape
        crops = IdentityCropDataset(joint, TRAIN)
        assert next(browse_items(crops, [0])).image.shape == (192, 256, 3)

    def test_no_images(self) -> None:
        class Numbers:
            metainfo: dict = {}  # noqa: RUF012

            def __getitem__(self, item: object) -> dict:
                return {"inputs": 3}

        with pytest.raises(InputError, match="this dataset cannot be shown as images"):
            next(browse_items(Numbers(), [0]))
        with pytest.raises(InputError, match="Numbers has no frames of its own"):
            next(browse_items(Numbers(), [0], raw=True))


class TestCommand:
    def test_files(self, tiny_project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        tool = load_tool("browse_dataset")
        assert call(tool, "tiny.py --stage test --count 2 --out seen") == 0
        names = sorted(path.name for path in Path("seen").iterdir())
        assert names[0] == "000000_0.jpg"
        said = capsys.readouterr().out
        assert f"{len(names)} pictures in seen" in said
        assert "2 sequences, 12 frames, 36 boxes" in said
        assert call(tool, "tiny.py --raw --count 1 --out raw") == 0
        assert cv2.imread("raw/000000.jpg").shape == (96, 128, 3)

    def test_errors(
        self, tiny_project: Path, capsys: pytest.CaptureFixture[str], monkeypatch
    ) -> None:
        tool = load_tool("browse_dataset")
        assert call(tool, "tiny.py --stage val") == 1
        assert "tiny.py has no val_dataloader: choose another --stage" in capsys.readouterr().err
        assert call(tool, "tiny.py --count 0") == 2
        monkeypatch.delenv("DISPLAY", raising=False)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        assert call(tool, "tiny.py --show") == 1
        assert "showing needs a screen" in capsys.readouterr().err
