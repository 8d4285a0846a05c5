"""CrowdHuman, CityPersons, CUHK-SYSU and PRW, written in their formats and read back."""

import json
from pathlib import Path

import numpy as np
import pytest
from original_sets import person, write_citypersons, write_crowdhuman, write_cuhk_sysu, write_prw
from originals import SIZE, labels, listed, structs, write_image, write_mat
from tiny_tools import call_tool

from mmdeepmot.converters.crowdhuman import parse_line
from mmdeepmot.errors import InputError


@pytest.fixture
def crowdhuman(tmp_path: Path) -> Path:
    return write_crowdhuman(tmp_path)


@pytest.fixture
def citypersons(tmp_path: Path) -> Path:
    return write_citypersons(tmp_path)


@pytest.fixture
def cuhk_sysu(tmp_path: Path) -> Path:
    return write_cuhk_sysu(tmp_path)


@pytest.fixture
def prw(tmp_path: Path) -> Path:
    return write_prw(tmp_path)


class TestCrowdHuman:
    def test_boxes_crowds_and_lists(self, crowdhuman: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert call_tool("crowdhuman", crowdhuman, "--out", out) == 0
        images = ["CrowdHuman/images/train/1,a.jpg", "CrowdHuman/images/train/2,b.jpg"]
        assert listed(out, "crowdhuman.train") == images
        assert labels(out, images[0]) == [
            [0, -1, -4, 8, 12, 40],
            [-1, -1, 20, 4, 28, 20],
            [-1, -1, 30, 0, 50, 20],
        ]
        assert labels(out, images[1]) == [[0, -1, 10, 10, 20, 30]]
        original = crowdhuman / "Images" / "2,b.jpg"
        assert (out / images[1]).read_bytes() == original.read_bytes()

    def test_visible_boxes_without_crowds(self, crowdhuman: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        call_tool("crowdhuman", crowdhuman, "--out", out, "--boxes", "visible", "--ignored", "drop")
        assert labels(out, "CrowdHuman/images/train/1,a.jpg") == [[0, -1, 0, 8, 12, 24]]

    def test_every_box_an_identity(self, crowdhuman: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        call_tool("crowdhuman", crowdhuman, "--out", out, "--identities", "each")
        found = [row[1] for image in listed(out, "crowdhuman.train") for row in labels(out, image)]
        assert found == [0, -1, -1, 1]

    def test_visibility(self) -> None:
        line = json.dumps({"ID": "x", "gtboxes": [person([-4, 8, 16, 32], [0, 8, 12, 16])]})
        assert parse_line(line, "fbox")[1].visibility.tolist() == [12 * 16 / (16 * 32)]

    def test_heads_to_ignore(self) -> None:
        heads = [person([0, 0, 8, 8], head_attr={"ignore": one, "occ": 0}) for one in (0, 1)]
        line = json.dumps({"ID": "x", "gtboxes": heads})
        assert parse_line(line, "hbox")[1].ignore.tolist() == [False, True]
        assert parse_line(line, "fbox")[1].ignore.tolist() == [False, False]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("{", "expected a JSON object"),
            ("[]", "expected 'ID' and 'gtboxes'"),
            ('{"ID": "1"}', "gtboxes"),
            ('{"ID": "1", "gtboxes": [{"tag": "person", "fbox": [1, 2]}]}', "2 numbers in fbox"),
        ],
    )
    def test_bad_lines(self, line: str, message: str) -> None:
        with pytest.raises(InputError, match=message):
            parse_line(line, "fbox")

    def test_a_bad_line_is_named_and_the_rest_converted(
        self, crowdhuman: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = crowdhuman / "annotation_train.odgt"
        file.write_bytes(b"{broken\xff\n" + file.read_bytes())
        assert call_tool("crowdhuman", crowdhuman, "--out", tmp_path / "out") == 1
        assert "annotation_train.odgt:1: expected a JSON object" in capsys.readouterr().err
        assert len(listed(tmp_path / "out", "crowdhuman.train")) == 2


class TestCityPersons:
    ULM = "Cityscapes/images/train/ulm/ulm_000000_000019_leftImg8bit.png"

    def test_classes_and_a_city_spelt_otherwise(self, citypersons: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert call_tool("citypersons", citypersons, "--out", out) == 0
        bremen = "Cityscapes/images/train/bremen/bremen_000001_000019_leftImg8bit.png"
        assert listed(out, "citypersons.train") == [self.ULM, bremen]
        assert labels(out, self.ULM) == [
            [0, -1, 4, 8, 12, 28],
            [0, -1, 20, 8, 28, 28],
            [-1, -1, 40, 0, 50, 10],
            [-1, -1, 50, 0, 60, 10],
        ]
        assert labels(out, bremen) == [[0, -1, 4, 8, 12, 28]]

    def test_visible_pedestrians(self, citypersons: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        call_tool(
            "citypersons", citypersons, "--out", out, "--boxes", "visible", "--pedestrians-only"
        )
        rows = labels(out, self.ULM)
        assert [row[0] for row in rows] == [0, -1, -1, -1]
        assert rows[0][2:] == [4, 8, 12, 18]

    def test_another_mat_file(
        self, citypersons: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_mat(citypersons / "anno_val.mat", other=np.zeros(3))
        assert call_tool("citypersons", citypersons, "--out", tmp_path / "out") == 1
        message = "anno_val.mat: expected a variable anno_val_aligned or anno_val, found ['other']"
        assert message in capsys.readouterr().err
        assert len(listed(tmp_path / "out", "citypersons.train")) == 2


class TestCUHKSYSU:
    def test_persons_by_place(self, cuhk_sysu: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert call_tool("cuhk_sysu", cuhk_sysu, "--out", out) == 0
        assert listed(out, "cuhksysu.train") == ["CUHKSYSU/images/s1.jpg", "CUHKSYSU/images/s2.jpg"]
        assert listed(out, "cuhksysu.val") == ["CUHKSYSU/images/s3.jpg"]
        assert labels(out, "CUHKSYSU/images/s1.jpg") == [
            [0, 0, 4, 8, 12, 28],
            [0, 1, 20, 8, 28, 28],
        ]
        assert labels(out, "CUHKSYSU/images/s2.jpg") == [[0, 0, 4, 8, 12, 28]]
        assert labels(out, "CUHKSYSU/images/s3.jpg") == [
            [0, 0, 30, 8, 38, 28],
            [0, -1, 4, 8, 12, 28],
        ]

    def test_damaged(
        self, cuhk_sysu: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = cuhk_sysu / "annotation" / "Person.mat"
        file.write_bytes(file.read_bytes()[:200])
        assert call_tool("cuhk_sysu", cuhk_sysu, "--out", tmp_path / "out") == 1
        assert (
            "Person.mat: expected a MATLAB file, but it cannot be read" in capsys.readouterr().err
        )

    def test_a_person_where_no_box_is(
        self, cuhk_sysu: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        lost = {"imname": "s1.jpg", "idlocate": np.array([[1, 2, 3, 4]]), "ishard": 0}
        persons = [{"idname": "p1", "scene": structs([lost])}]
        write_mat(cuhk_sysu / "annotation" / "Person.mat", Person=structs(persons))
        assert call_tool("cuhk_sysu", cuhk_sysu, "--out", tmp_path / "out") == 0
        message = "person 0 at [1.0, 2.0, 3.0, 4.0] of s1.jpg, where Images.mat has no box"
        assert message in capsys.readouterr().out

    @pytest.mark.parametrize("place", [[], 7, [[1, 2, 3]]])
    def test_a_box_that_is_none(
        self, cuhk_sysu: Path, tmp_path: Path, place, capsys: pytest.CaptureFixture[str]
    ) -> None:
        good = {"idlocate": np.array([[4, 8, 8, 20]]), "ishard": 0}
        boxes = {"s1.jpg": {**good, "idlocate": np.array(place, dtype=float)}, "s2.jpg": good}
        img = [{"imname": name, "box": structs([box])} for name, box in boxes.items()]
        write_mat(cuhk_sysu / "annotation" / "Images.mat", Img=structs(img))
        assert call_tool("cuhk_sysu", cuhk_sysu, "--out", tmp_path / "out") == 1
        assert "Images.mat: image 1: expected" in capsys.readouterr().err
        assert listed(tmp_path / "out", "cuhksysu.train") == ["CUHKSYSU/images/s2.jpg"]


class TestPRW:
    def test_identities_and_unknown_persons(self, prw: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert call_tool("prw", prw, "--out", out) == 0
        assert listed(out, "prw.train") == [
            "PRW/images/c1s1_000151.jpg",
            "PRW/images/c1s1_000176.jpg",
        ]
        assert labels(out, "PRW/images/c1s1_000151.jpg") == [
            [0, 0, 4.5, 8, 12.5, 28],
            [0, -1, 20, 8, 28, 28],
        ]
        assert labels(out, "PRW/images/c1s1_000176.jpg") == [[0, 0, 6, 8, 14, 28]]

    def test_an_identity_twice_in_a_frame(
        self, prw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out"
        call_tool("prw", prw, "--out", out)
        assert labels(out, "PRW/images/c2s1_000001.jpg") == [
            [0, 0, 6, 8, 14, 28],
            [0, -1, 30, 8, 38, 28],
        ]
        assert "identity 5 is there more than once" in capsys.readouterr().out

    def test_a_frame_without_annotation(
        self, prw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (prw / "annotations" / "c1s1_000176.jpg.mat").unlink()
        assert call_tool("prw", prw, "--out", tmp_path / "out") == 1
        assert "c1s1_000176.jpg.mat: expected a MATLAB file" in capsys.readouterr().err
        assert listed(tmp_path / "out", "prw.train") == ["PRW/images/c1s1_000151.jpg"]

    def test_nothing_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert call_tool("prw", tmp_path, "--out", tmp_path / "out") == 1
        assert (
            "expected frame_train.mat or frame_test.mat, found neither" in capsys.readouterr().err
        )
        assert call_tool("prw", tmp_path / "no", "--out", tmp_path / "out") == 1
        assert "expected the data set, found none" in capsys.readouterr().err


def test_sizes_are_of_the_image(crowdhuman: Path, tmp_path: Path) -> None:
    """Relative coordinates follow from the image itself."""
    write_image(crowdhuman / "Images" / "2,b.jpg", size=(SIZE[0] * 2, SIZE[1]))
    out = tmp_path / "out"
    call_tool("crowdhuman", crowdhuman, "--out", out)
    image = "CrowdHuman/images/train/2,b.jpg"
    assert labels(out, image, (SIZE[0] * 2, SIZE[1])) == [[0, -1, 10, 10, 20, 30]]
