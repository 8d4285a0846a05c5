"""A user's own COCO-style JSON and YOLO folders, of several classes."""

import json
from pathlib import Path
from typing import Any

import pytest
from original_sets import annotation, write_coco, write_yolo
from originals import SIZE, labels, listed, write_image
from tiny_tools import call_tool

from mmdeepmot.converters.yolo import label_file, parse_row
from mmdeepmot.io.mot import read_mot_text, read_seqinfo


@pytest.fixture
def coco(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    return write_coco(tmp_path)


def convert_coco(coco: tuple[Path, dict[str, Any]], *more: object) -> int:
    images, content = coco
    file = images.parent / "train.json"
    file.write_text(json.dumps(content))
    out = images.parent / "out"
    return call_tool("coco", images, "--train", file, "--name", "mine", "--out", out, *more)


class TestCOCO:
    IMAGES = ("mine/images/street/a.jpg", "mine/images/street/b.jpg", "mine/images/alone.jpg")

    def test_videos_classes_identities_crowds(self, coco, tmp_path: Path) -> None:
        assert convert_coco(coco) == 0
        out = tmp_path / "out"
        assert listed(out, "mine.train") == list(self.IMAGES)
        assert (out / "mine" / "classes.txt").read_text() == "person\ndog\n"
        assert labels(out, self.IMAGES[0]) == [[0, 0, 5, 8, 13, 28], [1, 1, 20, 8, 28, 28]]
        assert labels(out, self.IMAGES[1]) == [[0, 0, 4, 8, 12, 28]]
        # track 5 of no video is another person than track 5 of the street
        assert labels(out, self.IMAGES[2]) == [[0, 2, 4, 8, 12, 28], [-1, -1, 30, 8, 50, 28]]

    def test_one_category_as_folders(self, coco, tmp_path: Path) -> None:
        coco[1]["images"].pop()
        assert convert_coco(coco, "--categories", "person", "--form", "mot") == 0
        rows = read_mot_text(tmp_path / "out" / "train" / "street" / "gt" / "gt.txt", "gt")
        assert rows.frames.tolist() == [1, 2]
        assert rows.ids.tolist() == [1, 1]

    def test_several_categories_as_folders(
        self, coco, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        coco[1]["images"].pop()
        coco[1]["annotations"].append(annotation(10, 7, [40, 8, 8, 20], ignore=1))
        assert convert_coco(coco, "--form", "mot") == 0
        rows = read_mot_text(tmp_path / "out" / "train" / "street" / "gt" / "gt.txt", "gt")
        assert rows.frames.tolist() == [1, 1, 2]
        assert rows.classes.tolist() == [1, 2, 1]
        assert rows.ids.tolist() == [1, 2, 1]
        said = capsys.readouterr().out
        assert "train: classes in gt.txt: person=1, dog=2" in said
        assert "train: 1 regions to ignore, which MOTChallenge files cannot say" in said

    def test_videos_of_one_name_in_two_folders(self, coco, tmp_path: Path) -> None:
        coco[1]["images"].pop()
        coco[1]["images"][1]["video_id"] = 2
        coco[1]["videos"] = [{"id": 1, "name": "day/cam"}, {"id": 2, "name": "night/cam"}]
        assert convert_coco(coco, "--categories", "person", "--form", "mot") == 0
        for name, left in (("cam", 4), ("night-cam", 5)):
            rows = read_mot_text(tmp_path / "out" / "train" / name / "gt" / "gt.txt", "gt")
            assert rows.bboxes[:, 0].tolist() == [left]

    @pytest.mark.parametrize("name", ["..", "", "a\nb", "cam"])
    def test_names_that_videos_cannot_have(
        self, coco, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        coco[1]["images"].pop()
        coco[1]["images"][1]["video_id"] = 2
        coco[1]["videos"] = [{"id": 1, "name": "cam"}, {"id": 2, "name": name}]
        assert convert_coco(coco, "--form", "mot") == 1
        said = capsys.readouterr().err
        assert (
            "two videos are called" if name == "cam" else "expected the name of a video"
        ) in said

    def test_categories_in_an_order_of_one_s_own(self, coco, tmp_path: Path) -> None:
        convert_coco(coco, "--categories", "dog", "person")
        assert [row[0] for row in labels(tmp_path / "out", self.IMAGES[0])] == [1, 0]

    def test_unknown_category(self, coco, capsys: pytest.CaptureFixture[str]) -> None:
        assert convert_coco(coco, "--categories", "cat") == 1
        assert "no category is called 'cat': there are ['dog', 'person']" in capsys.readouterr().err

    def test_bad_annotations_are_named(
        self, coco, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        coco[1]["annotations"] += [
            annotation(10, 3, [1, 2, 3]),
            {"image_id": 10},
            annotation(10, 3, [1, 2, 0, 5]),
            annotation(10, 3, [float("nan"), 2, 3, 5]),
            annotation(10, 3, [70, 2, 3, 5]),
        ]
        assert convert_coco(coco) == 0
        said = capsys.readouterr().out
        assert "train.json: annotations[5]: expected 'image_id'" in said
        assert "3 numbers in bbox" in said
        assert "annotations[6]" in said
        assert "street/b.jpg: expected a box of positive width and height, got xyxy" in said
        assert "5 boxes left out or changed" in said
        assert labels(tmp_path / "out", self.IMAGES[1]) == [[0, 0, 4, 8, 12, 28]]

    def test_images_of_an_unknown_video(self, coco, capsys: pytest.CaptureFixture[str]) -> None:
        coco[1]["images"][2]["video_id"] = 8
        assert convert_coco(coco) == 0
        said = capsys.readouterr().out
        assert "train.json: images[2]: video_id 8 is none of 'videos'" in said

    def test_null_is_unknown(self, coco, tmp_path: Path) -> None:
        content = coco[1]
        content["images"][1]["width"] = content["images"][2]["video_id"] = None
        content["images"][2]["frame_id"] = content["videos"][0]["fps"] = None
        content["annotations"][3]["track_id"] = None
        assert convert_coco(coco) == 0
        assert labels(tmp_path / "out", self.IMAGES[2])[0] == [0, -1, 4, 8, 12, 28]

    def test_bad_entries_are_named(
        self, coco, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        content = coco[1]
        content["videos"] += [{"id": 2, "name": "x", "fps": 0}, {"id": 3}]
        content["images"] += [
            {"id": 10, "file_name": "images/alone.jpg"},
            {"id": 20, "file_name": "a.jpg", "frame_id": "first"},
            "a.jpg",
            {"id": 21, "file_name": "a.jpg", "video_id": [1]},
        ]
        content["annotations"].append(annotation(10, 3, [1, 2, 3, 4], track_id=float("inf")))
        assert convert_coco(coco) == 1
        said = capsys.readouterr().out
        assert "videos[1]: expected frames per second, got 0: 30 are taken" in said
        assert "videos[2]: expected 'id' and 'name'" in said
        assert "images[3]: the id 10 is another image's" in said
        assert all(f"images[{number}]: expected 'id'" in said for number in (4, 5, 6))
        assert "annotations[5]: expected" in said
        assert listed(tmp_path / "out", "mine.train") == list(self.IMAGES)
        assert len(labels(tmp_path / "out", self.IMAGES[1])) == 1

    def test_names_that_lead_outside(
        self, coco, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        coco[1]["images"][2]["file_name"] = "../outside.jpg"
        write_image(tmp_path / "outside.jpg")
        assert convert_coco(coco) == 1
        message = "images[2]: expected the name of an image inside of the set, got '../outside.jpg'"
        assert message in capsys.readouterr().err
        assert listed(tmp_path / "out", "mine.train") == list(self.IMAGES[:2])

    def test_an_image_of_another_size(
        self, coco, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_image(coco[0] / "street" / "a.jpg", size=(32, 48))
        assert convert_coco(coco) == 1
        assert "the image is 32x48 px where" in capsys.readouterr().err

    @pytest.mark.parametrize("text", ["{", "[]", '{"images": []}'])
    def test_no_such_file(
        self, coco, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "x.json"
        file.write_text(text)
        assert call_tool("coco", coco[0], "--train", file, "--out", tmp_path / "out") == 1
        assert "x.json: expected a" in capsys.readouterr().err


@pytest.fixture
def yolo(tmp_path: Path) -> Path:
    return write_yolo(tmp_path)


class TestYOLO:
    def test_identities_of_videos(self, yolo: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert call_tool("yolo", yolo, "--out", out, "--track-ids", "--videos") == 0
        images = ["yolo/images/train/walk/f2.jpg", "yolo/images/train/walk/f10.jpg"]
        assert listed(out, "yolo.train") == images
        assert listed(out, "yolo.val") == ["yolo/images/val/one.jpg"]
        assert labels(out, images[0]) == [[1, 0, 24, 12, 40, 36]]
        assert labels(out, images[1]) == [[1, 0, 8, 12, 24, 36], [0, 1, 40, 12, 56, 36]]
        assert (out / "yolo" / "classes.txt").read_text() == "person\ndog\n"

    def test_videos_as_folders(self, yolo: Path, tmp_path: Path, capsys) -> None:
        arguments = ("--out", tmp_path / "out", "--track-ids", "--videos", "--form", "mot")
        assert call_tool("yolo", yolo, *arguments) == 0
        video = tmp_path / "out" / "train" / "walk"
        rows = read_mot_text(video / "gt" / "gt.txt", "gt")
        assert rows.frames.tolist() == [1, 2, 2]
        assert rows.classes.tolist() == [2, 2, 1]
        assert rows.ids[0] == rows.ids[1] != rows.ids[2]
        assert rows.bboxes.tolist() == [[24, 12, 40, 36], [8, 12, 24, 36], [40, 12, 56, 36]]
        info = read_seqinfo(video)
        assert (info.length, info.size) == (2, SIZE)
        assert "train: classes in gt.txt: person=1, dog=2" in capsys.readouterr().out

    def test_photographs_are_no_folders(self, yolo: Path, tmp_path: Path, capsys) -> None:
        out = tmp_path / "out"
        assert call_tool("yolo", yolo, "--out", out, "--track-ids", "--form", "mot") == 1
        assert "video" in capsys.readouterr().err
        assert not out.exists()

    def test_classes_txt_and_a_missing_label_file(
        self, yolo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (yolo / "data.yaml").unlink()
        (yolo / "classes.txt").write_text("person\ndog\n")
        (yolo / "labels" / "val" / "one.txt").unlink()
        assert call_tool("yolo", yolo, "--out", tmp_path / "out", "--track-ids") == 0
        assert "one.txt: there is none, so one.jpg is taken as empty" in capsys.readouterr().out
        assert labels(tmp_path / "out", "yolo/images/val/one.jpg") == []

    def test_no_label_file_at_all(
        self, yolo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (yolo / "labels").rename(yolo / "annotations")
        assert call_tool("yolo", yolo, "--out", tmp_path / "out") == 1
        said = capsys.readouterr().err
        assert "images has labels, expected" in said and "labels" in said and "walk" in said
        assert not (tmp_path / "out").exists()

    def test_bad_rows_are_named(
        self, yolo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = yolo / "labels" / "val" / "one.txt"
        (yolo / "labels" / "train" / "walk" / "f2.txt").write_text("")
        (yolo / "labels" / "train" / "walk" / "f10.txt").write_text("0 0.5 0.5 0.25 0.5 7\n")
        file.write_text("0 0.5 0.5 0.25 0.5\n2 0.5 0.5 0.25 0.5\nx\n0 0.5 0.5\n")
        assert call_tool("yolo", yolo, "--out", tmp_path / "out") == 0
        said = capsys.readouterr().out
        assert "f10.txt:1: expected class, centre x" in said
        assert "(six numbers: --track-ids?)" in said
        assert "one.txt:2: expected a class of 0..1" in said
        assert "one.txt:3: expected numbers" in said
        assert "one.txt:4: expected class, centre x" in said
        assert labels(tmp_path / "out", "yolo/images/val/one.jpg") == [[0, -1, 24, 12, 40, 36]]

    @pytest.mark.parametrize("parts", ["inf 0 0 1 1", "nan 0 0 1 1", "0 0 0 1 1 inf"])
    def test_numbers_that_are_not_finite(self, parts: str) -> None:
        with pytest.raises(ValueError, match="expected finite numbers"):
            parse_row(parts.split(), 1, True)

    def test_folders_as_of_the_place_of_training(self, yolo: Path, tmp_path: Path) -> None:
        file = yolo / "data.yaml"
        file.write_text(file.read_text().replace("images/", "../images/").replace("path: .", ""))
        assert call_tool("yolo", yolo, "--out", tmp_path / "out", "--track-ids") == 0
        assert len(listed(tmp_path / "out", "yolo.train")) == 2

    def test_images_by_lists(self, yolo: Path, tmp_path: Path) -> None:
        (yolo / "train.txt").write_text("./images/train/walk/f10.jpg\n\nimages/val/one.jpg\n")
        (yolo / "data.yaml").write_text(
            "train: train.txt\ntest: [images/val, images/train]\nnames: [person, dog]\n"
        )
        out = tmp_path / "out"
        assert call_tool("yolo", yolo, "--out", out, "--track-ids") == 0
        images = ["yolo/images/train/train/walk/f10.jpg", "yolo/images/train/val/one.jpg"]
        assert listed(out, "yolo.train") == images
        assert labels(out, images[0]) == [[1, 0, 8, 12, 24, 36], [0, 1, 40, 12, 56, 36]]
        names = ["val/one.jpg", "train/walk/f2.jpg", "train/walk/f10.jpg"]
        assert listed(out, "yolo.test") == [f"yolo/images/test/{name}" for name in names]

    def test_absolute_and_relative_places(
        self, yolo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (yolo / "train.txt").write_text(f"{yolo}/images/val/one.jpg\n")
        (yolo / "data.yaml").write_text("train: [images/train, train.txt]\nnames: [person, dog]\n")
        monkeypatch.chdir(tmp_path)
        assert call_tool("yolo", Path("yolo"), "--out", Path("out"), "--track-ids") == 0
        assert len(listed(tmp_path / "out", "yolo.train")) == 3

    def test_an_image_that_a_list_names_is_not_there(
        self, yolo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (yolo / "train.txt").write_text("images/train/walk/f2.jpg\nimages/gone.jpg\n")
        (yolo / "data.yaml").write_text("train: train.txt\nnames: [person, dog]\n")
        assert call_tool("yolo", yolo, "--out", tmp_path / "out", "--track-ids") == 1
        assert "gone.jpg" in capsys.readouterr().err
        assert len(listed(tmp_path / "out", "yolo.train")) == 1

    def test_polygons(self) -> None:
        parts = ["0", "0.1", "0.2", "0.3", "0.2", "0.2", "0.6"]
        assert parse_row(parts, 1, False) == (0, -1, (0.1, 0.2, 0.3, 0.6))

    def test_labels_lie_beside_the_last_folder_images(self) -> None:
        label = label_file(Path("/images/x/images/a/b.jpg"))
        assert label == Path("/images/x/labels/a/b.txt")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[", "expected a YAML file"),
            ("nc: 2\n", "expected 'names' of the classes, a list or numbered from 0, got None"),
            ("names: {1: a, 2: b}\n", "numbered from 0, got {1: 'a', 2: 'b'}"),
            ("names: [a]\ntrain: nowhere\n", "expected the folder"),
            ("names: [a]\n", "expected folders of images"),
        ],
    )
    def test_bad_yaml(
        self, yolo: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (yolo / "data.yaml").write_text(text)
        assert call_tool("yolo", yolo, "--out", yolo / "out") == 1
        assert message in capsys.readouterr().err
