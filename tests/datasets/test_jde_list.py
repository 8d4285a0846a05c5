"""List files with labels_with_ids."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdeepmot.datasets import JDEListDataset
from mmdeepmot.datasets.jde_list import group_frames
from mmdeepmot.datasets.label_files import check_labels, label_path, parse_labels, read_image_list
from mmdeepmot.io import ImageError

GOOD = "0 5 0.5 0.5 0.25 0.5\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MMDEEPMOT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    messages: list[str] = []
    monkeypatch.setattr(
        "mmdeepmot.datasets.jde_list.print_log", lambda text, **_: messages.append(text)
    )
    return messages


def open_list(file: Path, **kwargs: Any) -> JDEListDataset:
    return JDEListDataset(file, file.parent, **kwargs)


class TestLabelPath:
    @pytest.mark.parametrize(
        ("image", "label"),
        [
            ("root/Caltech/images/s.00/V.1/7.png", "root/Caltech/labels_with_ids/s.00/V.1/7.txt"),
            (
                "/images/MOT17/images/train/A/img1/1.jpg",
                "/images/MOT17/labels_with_ids/train/A/img1/1.txt",
            ),
            ("x/images/images.jpg", "x/labels_with_ids/images.txt"),
            ("my_images/ETH/images/1.png", "my_images/ETH/labels_with_ids/1.txt"),
        ],
    )
    def test_beside_the_images(self, image: str, label: str) -> None:
        assert label_path(image) == label

    def test_no_folder_of_images(self) -> None:
        with pytest.raises(ValueError, match=r"a/b\.png: expected a folder 'images' in the path"):
            label_path("a/b.png")


class TestParsing:
    def test_values(self) -> None:
        rows, lines, problems = parse_labels("0 -1 0.5 0.5 0.1 0.2\n\n0 3 1 1 1 1\n")
        assert rows.tolist() == [[0, -1, 0.5, 0.5, 0.1, 0.2], [0, 3, 1, 1, 1, 1]]
        assert lines.tolist() == [1, 3]
        assert problems == {}

    def test_empty(self) -> None:
        rows, lines, problems = parse_labels("")
        assert rows.shape == (0, 6)
        assert len(lines) == 0
        assert problems == {}

    def test_numbers_are_not_moved_from_line_to_line(self) -> None:
        """Five and seven numbers are twelve, but not two boxes."""
        rows, _, problems = parse_labels("0 1 .5 .5 .1\n0 2 .5 .5 .1 .1 .1\n")
        assert len(rows) == 0
        assert set(problems) == {1, 2}

    def test_checks(self) -> None:
        good = [0, 1, 0.5, 0.5, 0.1, 0.1]
        bad = {
            "finite numbers": [0, 2, np.nan, 0.5, 0.1, 0.1],
            "positive width": [0, 3, 0.5, 0.5, 0, 0.1],
            "meets the image": [0, 4, 320, 240, 50, 80],
            "each identity once": [0, 1, 0.2, 0.2, 0.1, 0.1],
        }
        unknown = [0, -1, 0.5, 0.5, 0.1, 0.1]
        rows = np.array([good, *bad.values(), unknown, unknown])
        problems = check_labels(rows)
        assert sorted(problems) == [1, 2, 3, 4]
        for row, text in enumerate(bad, start=1):
            assert text in problems[row]

    def test_a_bad_row_does_not_use_up_its_identity(self) -> None:
        rows = np.array([[0, 1, 0.5, 0.5, 0, 0.1], [0, 1, 0.5, 0.5, 0.1, 0.1]])
        assert list(check_labels(rows)) == [0]


class TestGrouping:
    def test_folders_and_prefixes(self) -> None:
        images = [
            "MOT17/images/train/A/img1/000002.jpg",
            "MOT17/images/train/A/img1/000001.jpg",
            "Caltech/images/set00_V000_0.png",
            "Caltech/images/set00_V001_30.png",
            "Caltech/images/set00_V000_1.png",
            "x/images/photo.jpg",
        ]
        names, videos, sequence, number = group_frames(images, videos=True, name="s")
        assert names == ["MOT17-train-A", "Caltech-set00_V000", "Caltech-set00_V001", "x"]
        assert videos == [True, True, True, False]
        assert sequence.tolist() == [0, 0, 1, 2, 1, 3]
        # set00_V000 starts at 0: moved to 1
        assert number.tolist() == [2, 1, 1, 30, 2, 6]

    def test_photographs(self) -> None:
        names, videos, sequence, number = group_frames(
            ["a/images/1.png", "b/images/2.png"], videos=False, name="CUHK"
        )
        assert (names, videos) == (["CUHK"], [False])
        assert sequence.tolist() == [0, 0]
        assert number.tolist() == [1, 2]

    def test_names_are_unique(self) -> None:
        names, *_ = group_frames(["a/images/1.png", "a/img1/1.png"], videos=True, name="s")
        assert names == ["a-images", "a-img1"]


class TestDataset:
    def test_boxes_in_pixels(self, write_list) -> None:
        file = write_list({"A/images/1.png": GOOD, "A/images/2.png": "0 -1 0.25 0.5 0.5 1\n"})
        dataset = open_list(file)
        one = dataset.frame_info(0)
        assert one["annotations"]["bboxes"].tolist() == [[24, 12, 40, 36]]
        assert one["annotations"]["identities"].tolist() == [0]  # 5 is the only one
        assert one["ori_shape"] == (48, 64)
        two = dataset.frame_info(1)["annotations"]
        assert two["bboxes"].tolist() == [[0, 0, 32, 48]]
        assert two["identities"].tolist() == [-1]
        assert dataset.successors.tolist() == [1, -1]
        assert dataset.num_identities == 1

    def test_order_of_time_not_of_the_list(self, write_list) -> None:
        file = write_list({f"A/images/{n}.png": GOOD for n in (3, 1, 2)})
        dataset = open_list(file)
        assert dataset.index.frame_numbers.tolist() == [1, 2, 3]
        assert dataset.index.paths[0].endswith("1.png")
        assert dataset.successors.tolist() == [1, 2, -1]
        assert open_list(file, videos=False).successors.tolist() == [-1, -1, -1]
        assert open_list(file, videos=False).photographs.all()
        assert not open_list(file).photographs.any()

    def test_several_lists_share_identities(self, write_list) -> None:
        one = write_list({"A/images/1.png": GOOD}, "a.train")
        two = write_list({"B/images/1.png": GOOD}, "b.train")
        dataset = JDEListDataset([one, two], one.parent)
        assert len(dataset) == 2
        assert dataset.num_identities == 1
        assert dataset.name == "a.train+b.train"

    def test_images_of_different_size(self, write_list) -> None:
        write_list({"A/images/1.png": GOOD}, size=(64, 48))
        write_list({"A/images/2.png": GOOD}, size=(32, 16))
        file = write_list({}, "all.train")
        file.write_text("A/images/1.png\nA/images/2.png\n")
        dataset = open_list(file, pipeline=[{"type": "LoadFrame"}])
        assert [dataset[n]["img"].shape[:2] for n in (0, 1)] == [(48, 64), (16, 32)]
        assert dataset.index.boxes.bboxes[1].tolist() == [12, 4, 20, 12]

    def test_image_twice_in_the_list(self, write_list, warnings: list[str]) -> None:
        file = write_list({"A/images/1.png": GOOD})
        file.write_text("A/images/1.png\nA/images/1.png\n")
        assert len(open_list(file)) == 1
        assert "more than once, the first is A/images/1.png" in warnings[0]


class TestBadInput:
    def test_missing_list(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"none\.train .* one image path a line"):
            JDEListDataset(tmp_path / "none.train", tmp_path)

    def test_missing_root(self, write_list, tmp_path: Path) -> None:
        file = write_list({"A/images/1.png": GOOD})
        with pytest.raises(FileNotFoundError, match=r"data_root .*nowhere.*are relative"):
            JDEListDataset(file, tmp_path / "nowhere")

    def test_empty_list(self, tmp_path: Path) -> None:
        (tmp_path / "a.train").write_text("\n\n")
        with pytest.raises(ValueError, match=r"a\.train: expected a list file, one image path"):
            read_image_list(tmp_path / "a.train")

    def test_bad_rows(self, write_list, warnings: list[str]) -> None:
        text = GOOD + "0 1 x 0.5 0.1 0.1\n" + "0 1 0.5 0.5 -0.1 0.1\n"
        file = write_list({"A/images/1.png": text})
        dataset = open_list(file)
        assert len(dataset.index.boxes) == 1
        assert "skipped 2 bad rows of label files; the first: " in warnings[0]
        assert "1.txt:2: expected 6 numbers" in warnings[0]
        with pytest.raises(ValueError, match=r"1\.txt:2: expected 6 numbers"):
            open_list(file, strict=True)

    def test_missing_labels(self, write_list, warnings: list[str]) -> None:
        file = write_list({"A/images/1.png": GOOD, "A/images/2.png": None})
        assert len(open_list(file)) == 2
        assert "1 of 2 images have no label file" in warnings[0]
        none = write_list({"B/images/1.png": None}, "none.train")
        with pytest.raises(FileNotFoundError, match="a label file for each image, found none"):
            open_list(none)

    def test_unreadable_image(self, write_list, warnings: list[str]) -> None:
        file = write_list({"A/images/1.png": GOOD, "A/images/2.png": GOOD})
        (file.parent / "A/images/1.png").write_bytes(b"")
        dataset = open_list(file)
        assert dataset.index.frame_numbers.tolist() == [2]
        assert "1 of 2 images cannot be read and are left out" in warnings[0]
        with pytest.raises(ImageError, match=r"images/1\.png"):
            open_list(file, test_mode=True)

    def test_no_image(self, write_list) -> None:
        file = write_list({"A/images/1.png": GOOD})
        (file.parent / "A/images/1.png").unlink()
        with pytest.raises(ImageError, match=r"1 of 1 images cannot be read; .*not found"):
            open_list(file)


class TestCache:
    def test_opens_without_reading_the_set_again(self, write_list, monkeypatch) -> None:
        file = write_list({"A/images/1.png": GOOD})
        first = open_list(file)
        monkeypatch.setattr(
            "mmdeepmot.datasets.jde_list.build_list_index",
            lambda *_, **__: pytest.fail("built again"),
        )
        again = open_list(file)
        assert np.array_equal(again.index.boxes.bboxes, first.index.boxes.bboxes)
        assert again.index.paths[0] == first.index.paths[0]

    def test_new_labels_are_seen(self, write_list) -> None:
        file = write_list({"A/images/1.png": GOOD, "A/images/2.png": None})
        assert len(open_list(file).index.boxes) == 1
        (file.parent / "A/labels_with_ids/2.txt").write_text(GOOD)
        assert len(open_list(file).index.boxes) == 2

    def test_images_that_come_later_are_seen(self, write_list) -> None:
        file = write_list({"A/images/1.png": GOOD, "A/images/2.png": GOOD})
        image = file.parent / "A" / "images" / "2.png"
        moved = image.rename(file.parent / "elsewhere.png")
        assert len(open_list(file)) == 1
        moved.rename(image)
        assert len(open_list(file)) == 2

    def test_another_list_is_another_cache(self, write_list) -> None:
        file = write_list({"A/images/1.png": GOOD, "A/images/2.png": GOOD})
        assert len(open_list(file)) == 2
        file.write_text("A/images/2.png\n")
        assert len(open_list(file)) == 1

    def test_labels_edited_in_place_need_refresh(self, write_list) -> None:
        file = write_list({"A/images/1.png": GOOD})
        open_list(file)
        (file.parent / "A/labels_with_ids/1.txt").write_text(GOOD + "0 6 0.2 0.2 0.1 0.1\n")
        assert len(open_list(file, refresh=True).index.boxes) == 2

    def test_off(self, write_list, cache: Path) -> None:
        open_list(write_list({"A/images/1.png": GOOD}), cache=False)
        assert not cache.exists()


TWO_CLASSES = {
    "x/images/1.png": "1 5 0.5 0.5 0.25 0.5\n0 6 0.25 0.5 0.25 0.5\n",
    "x/images/2.png": "-1 7 0.5 0.5 0.5 0.5\n0 5 0.5 0.5 0.25 0.5\n",
}


class TestClasses:
    def test_one_class_whatever_the_column_says(self, write_list) -> None:
        dataset = open_list(write_list(TWO_CLASSES))
        assert dataset.index.boxes.labels.tolist() == [0, 0, 0, 0]
        assert dataset.metainfo["classes"] == ("pedestrian",)

    def test_several_classes(self, write_list) -> None:
        dataset = open_list(write_list(TWO_CLASSES), classes=["person", "dog"])
        assert dataset.index.boxes.labels.tolist() == [1, 0, 0, 0]
        assert dataset.metainfo["classes"] == ("person", "dog")
        assert len(set(dataset.metainfo["palette"])) == 2

    def test_a_region_to_ignore_has_no_identity(self, write_list) -> None:
        boxes = open_list(write_list(TWO_CLASSES)).index.boxes
        assert boxes.ignore.tolist() == [False, False, True, False]
        assert boxes.identities.tolist() == [0, 1, -1, 0]
        assert boxes.bboxes[2].tolist() == [16, 12, 48, 36]

    def test_unknown_class_is_named(self, write_list) -> None:
        file = write_list({"x/images/1.png": "0 1 0.5 0.5 0.25 0.5\n2 5 0.5 0.5 0.25 0.5\n"})
        with pytest.raises(ValueError, match=r"1\.txt:2: expected a class below 2"):
            open_list(file, classes=["person", "dog"], strict=True)
