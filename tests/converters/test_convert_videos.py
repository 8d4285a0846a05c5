"""ETH and Caltech, written in their formats and read back."""

from pathlib import Path

import numpy as np
import pytest
from original_sets import thing, write_caltech, write_eth, write_vbb
from originals import encoded, labels, listed, write_image, write_seq
from tiny_tools import call_tool

from mmdeepmot.converters.caltech import read_vbb
from mmdeepmot.converters.eth import parse_line
from mmdeepmot.converters.list_layout import evenly
from mmdeepmot.converters.seq_video import read_seq
from mmdeepmot.errors import InputError
from mmdeepmot.io.mot import read_mot_text, read_seqinfo


@pytest.fixture
def eth(tmp_path: Path) -> Path:
    return write_eth(tmp_path)


@pytest.fixture
def caltech(tmp_path: Path) -> Path:
    return write_caltech(tmp_path)


class TestETH:
    IMAGES = tuple(f"ETHZ/images/eth01/{number:08d}.png" for number in (4, 8, 12))

    def test_boxes_and_sequences_left_out(
        self, eth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out"
        assert call_tool("eth", eth, "--out", out) == 0
        assert listed(out, "eth.train") == list(self.IMAGES)
        assert labels(out, self.IMAGES[0]) == [[0, -1, 4, 8, 12, 28], [0, -1, 20, 8, 30, 28]]
        assert labels(out, self.IMAGES[1]) == []
        said = capsys.readouterr().out
        assert "eth06 ('eth06' is left out)" in said
        assert "images 3: DIFFERS from 2056 (list files of Towards-Realtime-MOT)" in said
        assert "boxes 3: DIFFERS from 17K (JDE paper, Table 2)" in said

    def test_nothing_left_out(self, eth: Path, tmp_path: Path) -> None:
        call_tool("eth", eth, "--out", tmp_path / "out", "--leave-out")
        assert len(listed(tmp_path / "out", "eth.train")) == 4

    @pytest.mark.parametrize(
        "name", ["Linthescher", "ETH-Linthescher", "seq06", "seq06-img-left", "ETH06"]
    )
    def test_names_of_what_mot16_tests_on(self, eth: Path, tmp_path: Path, name: str) -> None:
        (eth / "eth06").rename(eth / name)
        call_tool("eth", eth, "--out", tmp_path / "out")
        assert listed(tmp_path / "out", "eth.train") == list(self.IMAGES)

    @pytest.mark.parametrize("name", ["eth06", "Linthescher"])
    def test_what_mot16_tests_on_wherever_its_file_lies(
        self, eth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
    ) -> None:
        """Two files in its folder, a file one folder deeper, and the sequence by itself."""
        folder = (eth / "eth06").rename(eth / name)
        text = (folder / "annot.idl").read_text()
        (folder / "more.idl").write_text(text)
        deeper = folder / "annotations"
        write_image(deeper / "left" / "image_00000000_0.png")
        (deeper / "x.idl").write_text(text)
        assert call_tool("eth", eth, "--out", tmp_path / "out") == 0
        assert listed(tmp_path / "out", "eth.train") == list(self.IMAGES)
        said = capsys.readouterr().out
        assert all(f"{folder / file}: sequence" in said for file in ("annot.idl", "more.idl"))
        assert call_tool("eth", folder, "--out", tmp_path / "alone") == 1
        assert "eth: nothing to write:" in capsys.readouterr().err

    def test_the_sequence_itself_as_the_working_folder(
        self, eth: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(eth / "eth06")
        assert call_tool("eth", ".", "--out", tmp_path / "out") == 1
        monkeypatch.chdir(eth / "eth01")
        assert call_tool("eth", ".", "--out", tmp_path / "out") == 0

    def test_several_files_in_one_folder(self, eth: Path, tmp_path: Path) -> None:
        folder = eth / "eth01"
        (folder / "bahnhof.idl").write_text('"left/image_00000000_0.png": (4, 8, 12, 28).\n')
        call_tool("eth", eth, "--out", tmp_path / "out")
        assert listed(tmp_path / "out", "eth.train")[-1] == "ETHZ/images/bahnhof/00000000.png"

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("left/a.png: (1, 2, 3, 4)", 'expected "IMAGE"'),
            ('"a.png": (1, 2, 3)', r"expected boxes .* got '\(1, 2, 3\)"),
            ('"a.png": (1, 2, 3, 4), (5, 6,', r"got '\(5, 6"),
        ],
    )
    def test_bad_lines(self, line: str, message: str) -> None:
        with pytest.raises(InputError, match=message):
            parse_line(line)

    def test_bad_line_and_missing_image_are_named(
        self, eth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = eth / "eth01" / "annot.idl"
        file.write_text(file.read_text() + '"left/image_00000016_0.png": (1, 2, 3, 4);\n"x": (1)\n')
        assert call_tool("eth", eth, "--out", tmp_path / "out") == 1
        said = capsys.readouterr()
        assert "image_00000016_0.png: image not found (named in" in said.out
        assert "annot.idl:5: expected boxes" in said.err
        assert listed(tmp_path / "out", "eth.train") == list(self.IMAGES)

    def test_folders_need_identities(
        self, eth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert call_tool("eth", eth, "--out", tmp_path / "out", "--form", "mot") == 1
        assert "have no identity, which MOTChallenge files cannot say" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()


class TestCaltech:
    IMAGES = ("Caltech/images/set00_V000_0.jpg", "Caltech/images/set00_V000_2.jpg")

    def test_frames_with_persons(self, caltech: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert call_tool("caltech", caltech, "--out", out) == 0
        assert listed(out, "caltech.train") == list(self.IMAGES)
        assert listed(out, "caltech.val") == [
            name.replace("set00", "set06") for name in self.IMAGES
        ]
        assert listed(out, "caltech.10k.val") == listed(out, "caltech.val")
        assert labels(out, self.IMAGES[0]) == [[0, 0, 4, 8, 12, 28], [-1, -1, 30, 8, 50, 28]]
        assert labels(out, self.IMAGES[1]) == [[0, 0, 5, 8, 13, 28], [0, 1, 20, 8, 28, 28]]
        assert (out / self.IMAGES[1]).read_bytes() == encoded(seed=2)

    def test_all_frames_and_steps(self, caltech: Path, tmp_path: Path) -> None:
        call_tool("caltech", caltech, "--out", tmp_path / "a", "--frames", "all")
        assert len(listed(tmp_path / "a", "caltech.train")) == 4
        call_tool("caltech", caltech, "--out", tmp_path / "b", "--frames", "all", "--step", 2)
        assert listed(tmp_path / "b", "caltech.train") == [  # as the benchmark's frames 29, 59, ...
            "Caltech/images/set00_V000_1.jpg",
            "Caltech/images/set00_V000_3.jpg",
        ]

    def test_as_motchallenge_folders(self, caltech: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        arguments = ("--out", out, "--form", "mot", "--frames", "persons")
        assert call_tool("caltech", caltech, *arguments) == 0
        info = read_seqinfo(out / "train" / "set00_V000")
        assert (info.length, info.size, info.fps, info.image_ext) == (2, (64, 48), 30.0, ".jpg")
        rows = read_mot_text(info.folder / "gt" / "gt.txt", "gt", strict=True)
        assert rows.frames.tolist() == [1, 1, 2, 2]
        assert rows.ids[[0, 2, 3]].tolist() == [1, 1, 2]
        assert rows.scores.tolist() == [1, 0, 1, 1]
        assert rows.classes.tolist() == [1, 8, 1, 1]
        assert rows.visibility.tolist() == [1, 1, 0.5, 1]
        assert rows.bboxes[3].tolist() == [20, 8, 28, 28]
        assert (info.image_dir / "000002.jpg").read_bytes() == encoded(seed=2)

    def test_folders_are_videos_without_gaps(
        self, caltech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for step, length, rate in ((1, 4, 30.0), (2, 2, 15.0)):
            out = tmp_path / str(step)
            assert call_tool("caltech", caltech, "--out", out, "--form", "mot", "--step", step) == 0
            info = read_seqinfo(out / "train" / "set00_V000")
            assert (info.length, info.fps) == (length, rate)
        assert "joint training set" not in capsys.readouterr().out  # which is of list files

    def test_frames_that_are_extracted_already(self, caltech: Path, tmp_path: Path) -> None:
        (caltech / "set00" / "V000.seq").unlink()
        for row in range(4):
            write_image(caltech / "images" / f"set00_V000_{row}.png", seed=row)
        call_tool("caltech", caltech, "--out", tmp_path / "out")
        names = [name.replace(".jpg", ".png") for name in self.IMAGES]
        assert listed(tmp_path / "out", "caltech.train") == names

    def test_a_video_that_breaks_off(
        self, caltech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        video = caltech / "set00" / "V000.seq"
        video.write_bytes(video.read_bytes()[:-1500])
        assert call_tool("caltech", caltech, "--out", tmp_path / "out") == 1
        assert "V000.seq: expected 4 frames, as its header says; after 3" in capsys.readouterr().err
        assert listed(tmp_path / "out", "caltech.train") == list(self.IMAGES)

    def test_a_frame_that_is_no_image(
        self, caltech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        images = [encoded(seed=row) for row in range(4)]
        images[2] = images[2][:4] + bytes(len(images[2]) - 4)
        write_seq(caltech / "set00" / "V000.seq", images)
        assert call_tool("caltech", caltech, "--out", tmp_path / "out", "--verify") == 1
        assert "V000.seq: byte" in capsys.readouterr().err
        assert listed(tmp_path / "out", "caltech.train") == list(self.IMAGES[:1])

    def test_a_video_that_is_none(
        self, caltech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (caltech / "set00" / "V000.seq").write_bytes(b"something else" * 200)
        (caltech / "annotations" / "set06" / "V000.vbb").write_bytes(b"damaged")
        write_vbb(
            caltech / "annotations" / "set07" / "V001.vbb", [[thing(1, [1, 1, 4, 4])]], ["person"]
        )
        write_seq(caltech / "set07" / "V001.seq", [encoded()])
        assert call_tool("caltech", caltech, "--out", tmp_path / "out") == 1
        said = capsys.readouterr().out
        assert "V000.seq: expected a Norpix .seq video" in said
        assert "V000.vbb: expected a MATLAB file, but it cannot be read" in said
        assert listed(tmp_path / "out", "caltech.val") == ["Caltech/images/set07_V001_0.jpg"]

    def test_one_frame_of_several_persons(self, tmp_path: Path) -> None:
        people = [thing(1, [1, 1, 4, 4]), thing(2, [9, 1, 4, 4])]
        (targets,) = read_vbb(write_vbb(tmp_path / "V.vbb", [people], ["person", "person"]), 100)
        assert targets.bboxes.tolist() == [[0, 0, 4, 4], [8, 0, 12, 4]]
        assert targets.identities.tolist() == [101, 102]

    @pytest.mark.parametrize("place", [[1, 1, 4], [[1, 1, 4, 4], [2, 2, 4, 4]], 7, []])
    def test_a_position_that_is_none(self, tmp_path: Path, place) -> None:
        bad = {**thing(1, [1, 1, 4, 4]), "pos": np.array(place, dtype=float)}
        people = [[thing(1, [1, 1, 4, 4]), bad], []]
        with pytest.raises(InputError, match=r"V\.vbb: frame 0: expected"):
            read_vbb(write_vbb(tmp_path / "V.vbb", people, ["person"]))

    def test_an_id_without_a_label(self, tmp_path: Path) -> None:
        file = write_vbb(tmp_path / "V.vbb", [[], [thing(2, [1, 1, 4, 4])]], ["person"])
        with pytest.raises(InputError, match=r"V\.vbb: frame 1: expected ids of 1\.\.1"):
            read_vbb(file)


@pytest.mark.parametrize("gap", [4, 6, 8, 10, 12, 16])
def test_time_stamps_of_any_length(tmp_path: Path, gap: int) -> None:
    images = [encoded(seed=row) for row in range(3)]
    video = read_seq(write_seq(tmp_path / "v.seq", images, gap, fps=25.0))
    assert video.problem == ""
    assert video.fps == 25.0
    assert [frame.read() for frame in video.frames] == images
    assert video.frames[0].size == (64, 48)


def test_more_frames_than_the_header_says_are_not_read(tmp_path: Path) -> None:
    video = read_seq(write_seq(tmp_path / "v.seq", [encoded()] * 3, count=2))
    assert len(video.frames) == 2


def test_a_header_without_a_number_of_frames(tmp_path: Path) -> None:
    video = read_seq(write_seq(tmp_path / "v.seq", [encoded()] * 3, count=0))
    assert (len(video.frames), video.problem) == (3, "")
    video = read_seq(write_seq(tmp_path / "w.seq", [], count=0))
    assert (video.frames, "w.seq: expected some frames" in video.problem) == ([], True)


def test_subsets_are_evenly_spread() -> None:
    items = [str(number) for number in range(10)]
    assert evenly(items, 4) == ["0", "2", "5", "7"]
    assert evenly(items, 10) == items
    assert evenly([], 4) == []
