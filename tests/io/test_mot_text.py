"""MOTChallenge text and sequence folders: values, layouts, every kind of bad row."""

import logging
from pathlib import Path

import numpy as np
import pytest
from mmengine.logging import MMLogger

from mmdeepmot.io import MOTRows, read_mot_text, read_seqinfo, write_mot_text


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Messages of level warning that go to mmengine's current logger."""
    messages: list[str] = []

    def record(message: str, logger: object = None, level: int = logging.INFO) -> None:
        if level >= logging.WARNING:
            messages.append(message)

    monkeypatch.setattr("mmdeepmot.io.mot.print_log", record)
    return messages


class TestLayouts:
    def test_mot17_ground_truth(self, tmp_path: Path) -> None:
        rows = read_mot_text(write(tmp_path / "gt.txt", "3,7,10.5,20,30,40,0,8,0.25"), "gt")
        assert rows.frames.tolist() == [3]
        assert rows.ids.tolist() == [7]
        assert rows.bboxes.tolist() == [[10.5, 20, 40.5, 60]]  # left + width, no -1
        assert rows.scores.tolist() == [0]
        assert rows.classes.tolist() == [8]
        assert rows.visibility.tolist() == [0.25]

    def test_mot15_ground_truth_has_world_coordinates_not_classes(self, tmp_path: Path) -> None:
        file = write(tmp_path / "gt.txt", "1,9,499,158,31,75,1,-4.1554,-7.3591,0")
        rows = read_mot_text(file, "gt")
        assert rows.classes.tolist() == [-1]
        assert rows.visibility.tolist() == [1]
        assert rows.scores.tolist() == [1]

    @pytest.mark.parametrize(("row", "label"), [("1,1,0,0,5,5,1", -1), ("1,1,0,0,5,5,1,3", 3)])
    def test_short_ground_truth(self, tmp_path: Path, row: str, label: int) -> None:
        rows = read_mot_text(write(tmp_path / "gt.txt", row), "gt", strict=True)
        assert rows.classes.tolist() == [label]
        assert rows.visibility.tolist() == [1]

    def test_rows_of_different_width(self, tmp_path: Path) -> None:
        file = write(tmp_path / "gt.txt", "1,1,0,0,5,5,1", "1,2,0,0,5,5,1,7,0.5")
        assert read_mot_text(file, "gt", strict=True).classes.tolist() == [-1, 7]

    def test_detections_unsorted_with_raw_scores_and_repeated_ids(self, tmp_path: Path) -> None:
        file = write(
            tmp_path / "det.txt", "9,-1,1,2,3,4,-2.5", "3,-1,1,2,3,4,93.7", "9,-1,0,0,1,1,0"
        )
        rows = read_mot_text(file, "det", strict=True)
        assert rows.frames.tolist() == [9, 3, 9]
        assert rows.scores.tolist() == [-2.5, 93.7, 0]
        by_frame = rows.sorted()
        assert by_frame.frames.tolist() == [3, 9, 9]
        assert by_frame.scores.tolist() == [93.7, -2.5, 0]  # rows of a frame keep their order

    def test_detections_have_no_class(self, tmp_path: Path) -> None:
        rows = read_mot_text(write(tmp_path / "d.txt", "1,-1,1,2,3,4,0.9,-1,-1,-1"), "det")
        assert rows.classes.tolist() == [-1]

    @pytest.mark.parametrize(
        "text", ["1 2 10 20 30 40 1", "1, 2, 10, 20, 30, 40, 1", "1,2,10,20,30,40,1,"]
    )
    def test_spaces_and_a_comma_at_the_end(self, tmp_path: Path, text: str) -> None:
        rows = read_mot_text(write(tmp_path / "r.txt", text), "result", strict=True)
        assert rows.bboxes.tolist() == [[10, 20, 40, 60]]

    def test_empty_file_has_no_rows(self, tmp_path: Path) -> None:
        rows = read_mot_text(write(tmp_path / "r.txt"), "result", strict=True)
        assert len(rows) == 0
        assert rows.bboxes.shape == (0, 4)

    def test_blank_lines_at_the_end_are_no_rows(self, tmp_path: Path) -> None:
        (tmp_path / "r.txt").write_bytes(b"\xef\xbb\xbf1,1,0,0,5,5,1\r\n\r\n\n")
        assert len(read_mot_text(tmp_path / "r.txt", "gt", strict=True)) == 1


GOOD = "1,1,10,10,20,20,1,1,1"
BAD_ROWS = [
    ("", "expected a row of numbers, got an empty line"),
    ("1,2,10,10,20", "expected 7 to 10 comma-separated numbers .* got 5"),
    ("1,2,3,4,5,6,7,8,9,10,11", "expected 7 to 10 comma-separated numbers .* got 11"),
    ("1,2,ten,10,20,20,1,1,1", "expected numbers, got '1,2,ten,10,20,20,1,1,1'"),
    ("1,2,nan,10,20,20,1,1,1", r"expected finite numbers, got \[1.0, 2.0, nan"),
    ("1,2,10,10,inf,20,1,1,1", "expected finite numbers"),
    ("1,2,10,10,0,20,1,1,1", "positive width and height, got width 0, height 20"),
    ("1,2,10,10,20,-3,1,1,1", "positive width and height, got width 20, height -3"),
    ("1,2,100,10,20,20,1,1,1", r"expected a box that meets the image of 100x80 px"),
    ("1,2,-20,10,20,20,1,1,1", r"got left, top, width, height = \[-20.0, 10.0, 20.0, 20.0\]"),
    ("1,1,50,10,20,20,1,1,1", "expected one box for each id in a frame, got id 1 twice or more"),
    ("0,2,10,10,20,20,1,1,1", "whole frame number from 1 and a whole id, got frame 0, id 2"),
    ("1.5,2,10,10,20,20,1,1,1", "whole frame number from 1"),
]


class TestBadRows:
    @pytest.mark.parametrize(("row", "message"), BAD_ROWS)
    def test_strict_names_file_and_line(self, tmp_path: Path, row: str, message: str) -> None:
        file = write(tmp_path / "gt.txt", GOOD, row, "2,1,10,10,20,20,1,1,1")
        with pytest.raises(ValueError, match=rf"gt\.txt:2: .*{message}"):
            read_mot_text(file, "gt", image_size=(100, 80), strict=True)

    @pytest.mark.parametrize(("row", "message"), BAD_ROWS)
    def test_skipped_with_one_counted_warning(
        self, tmp_path: Path, warnings: list[str], row: str, message: str
    ) -> None:
        file = write(tmp_path / "gt.txt", GOOD, row, "2,1,10,10,20,20,1,1,1")
        rows = read_mot_text(file, "gt", image_size=(100, 80))
        assert rows.frames.tolist() == [1, 2]
        assert len(warnings) == 1
        assert "skipped 1 of 3 rows" in warnings[0]
        assert "gt.txt:2:" in warnings[0]

    def test_many_bad_rows_are_counted_together(self, tmp_path: Path, warnings: list[str]) -> None:
        file = write(tmp_path / "gt.txt", "x", GOOD, "1,5,0,0,0,0,1", "y")
        assert len(read_mot_text(file, "gt")) == 1
        assert len(warnings) == 1
        assert "skipped 3 of 4 rows" in warnings[0]

    def test_a_bad_row_does_not_make_its_good_twin_a_duplicate(self, tmp_path: Path) -> None:
        file = write(tmp_path / "gt.txt", "1,1,0,0,0,5,1", GOOD)
        assert len(read_mot_text(file, "gt")) == 1

    def test_outside_is_not_checked_without_the_image_size(self, tmp_path: Path) -> None:
        file = write(tmp_path / "gt.txt", "1,2,5000,10,20,20,1,1,1")
        assert len(read_mot_text(file, "gt", strict=True)) == 1

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(
            FileNotFoundError, match=r"none\.txt: expected a MOTChallenge text file"
        ):
            read_mot_text(tmp_path / "none.txt", "det")

    def test_binary_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00\x81")
        with pytest.raises(ValueError, match="expected a text file"):
            read_mot_text(tmp_path / "a.txt", "gt")

    def test_unknown_kind(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="kind must be 'gt', 'det' or 'result', got 'truth'"):
            read_mot_text(tmp_path / "a.txt", "truth")  # type: ignore[arg-type]

    def test_the_warning_reaches_the_log(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        logger = MMLogger.get_current_instance()
        logger.addHandler(caplog.handler)
        try:
            read_mot_text(write(tmp_path / "gt.txt", "x"), "gt")
        finally:
            logger.removeHandler(caplog.handler)
        assert "skipped 1 of 1 rows" in caplog.text


class TestWriting:
    def test_result_text(self, tmp_path: Path) -> None:
        rows = MOTRows.from_arrays(
            np.array([1]), np.array([4]), np.array([[1.25, 2, 11.25, 22]]), np.array([0.5])
        )
        write_mot_text(tmp_path / "deep" / "r.txt", rows)
        text = (tmp_path / "deep" / "r.txt").read_text()
        assert text == "1,4,1.250,2.000,10.000,20.000,0.5,-1,-1,-1\n"

    @pytest.mark.parametrize("kind", ["gt", "result"])
    def test_round_trip(self, tmp_path: Path, kind: str) -> None:
        rng = np.random.default_rng(1)
        corner = rng.uniform(-5, 500, (50, 2))
        boxes = np.concatenate((corner, corner + rng.uniform(1, 90, (50, 2))), axis=1)
        rows = MOTRows.from_arrays(
            np.arange(1, 51),
            rng.permutation(50) + 1,
            boxes,
            np.ones(50),
            rng.integers(1, 13, 50),
            rng.uniform(0, 1, 50).round(4),
        )
        write_mot_text(tmp_path / "r.txt", rows, kind)  # type: ignore[arg-type]
        back = read_mot_text(tmp_path / "r.txt", kind, strict=True)  # type: ignore[arg-type]
        assert np.abs(back.bboxes - rows.bboxes).max() < 1.1e-3
        assert back.ids.tolist() == rows.ids.tolist()
        if kind == "gt":
            assert back.classes.tolist() == rows.classes.tolist()
            assert np.allclose(back.visibility, rows.visibility)

    def test_nothing_already_written_is_lost(self, tmp_path: Path) -> None:
        file = write(tmp_path / "r.txt", "old")
        rows = MOTRows.from_arrays(np.array([1]), np.array([1]), np.array([[0, 0, np.nan, 1]]))
        with pytest.raises(ValueError, match="refused to write a box that is not finite: frame 1"):
            write_mot_text(file, rows)
        assert file.read_text() == "old\n"
        assert [path.name for path in tmp_path.iterdir()] == ["r.txt"]

    def test_no_rows(self, tmp_path: Path) -> None:
        write_mot_text(tmp_path / "r.txt", MOTRows.empty())
        assert (tmp_path / "r.txt").read_text() == ""


class TestRows:
    def test_unequal_lengths(self) -> None:
        with pytest.raises(
            ValueError, match=r"MOTRows\.ids has 1 rows where MOTRows\.frames has 2"
        ):
            MOTRows.from_arrays(np.array([1, 2]), np.array([1]), np.zeros((2, 4)))

    def test_wrong_box_shape(self) -> None:
        with pytest.raises(ValueError, match=r"MOTRows\.bboxes must have shape \(2, 4\)"):
            MOTRows.from_arrays(np.array([1, 2]), np.array([1, 2]), np.zeros((1, 4)))

    def test_concatenate_and_select(self) -> None:
        one = MOTRows.from_arrays(np.array([1, 2]), np.array([5, 6]), np.ones((2, 4)))
        both = MOTRows.concatenate([one, one])
        assert len(both) == 4
        assert both[both.frames == 2].ids.tolist() == [6, 6]
        assert len(MOTRows.concatenate([])) == 0


class TestSequenceFolder:
    def test_seqinfo(self, tmp_path: Path) -> None:
        (tmp_path / "seqinfo.ini").write_text(
            "[Sequence]\nname=A\nimDir=frames\nframeRate=14\nseqLength=7\n"
            "imWidth=640\nimHeight=480\nimExt=.jpg\n"
        )
        info = read_seqinfo(tmp_path)
        assert (info.name, info.fps, info.size, info.length) == ("A", 14, (640, 480), 7)
        assert info.image_dir == tmp_path / "frames"
        assert info.image_ext == ".jpg"

    def test_neither_seqinfo_nor_images(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"expected seqinfo\.ini .* or images in img1/"):
            read_seqinfo(tmp_path)

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="nowhere: expected a sequence folder"):
            read_seqinfo(tmp_path / "nowhere")

    @pytest.mark.parametrize("value", ["thirty", "0", "-5", "nan"])
    def test_bad_number(self, tmp_path: Path, value: str) -> None:
        (tmp_path / "seqinfo.ini").write_text(f"[Sequence]\nframeRate={value}\n")
        with pytest.raises(ValueError, match=rf"positive number for framerate, got '{value}'"):
            read_seqinfo(tmp_path)

    @pytest.mark.parametrize("text", ["no section", "[Other]\na=1\n"])
    def test_no_section(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "seqinfo.ini").write_text(text)
        with pytest.raises(ValueError, match=r"seqinfo\.ini: expected .*\[Sequence\]"):
            read_seqinfo(tmp_path)


def test_shared_sequences_read_strictly(shared_data: Path) -> None:
    """Real files hold no bad row (MOT17-10 has two boxes outside: not checked here)."""
    counts = {}
    for path in sorted(shared_data.glob("mot/*/gt/gt.txt")):
        rows = read_mot_text(path, "gt", strict=True)
        info = read_seqinfo(path.parent.parent)
        assert rows.frames.max() <= info.length
        counts[info.name] = len(rows)
    assert counts == {"MOT17-11-540p": 10617, "PETS09-S2L1": 4650, "TUD-Stadtmitte": 1156}
    for path in sorted(shared_data.glob("mot/*/det/*.txt")):
        assert len(read_mot_text(path, "det", strict=True)) > 900
