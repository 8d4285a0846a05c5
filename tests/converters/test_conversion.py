"""What all converters share: resuming, dry runs, counts, links and copies."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from original_sets import write_caltech
from originals import encoded, labels, listed, write_image
from PIL import Image
from tiny_tools import call_tool

from mmdeepmot.converters.clean import clean_targets
from mmdeepmot.converters.counts import Counts, Known
from mmdeepmot.converters.planning import make_plan
from mmdeepmot.converters.report import checksum, describe_joint
from mmdeepmot.converters.source import Clip, Picture, SourceSet, Targets, visible_part
from mmdeepmot.converters.write import write_plan
from mmdeepmot.errors import InputError


@pytest.fixture
def source(tmp_path: Path) -> SourceSet:
    """Two frames: person 30 in both, somebody unknown and a crowd in the first."""
    first = Targets.of(
        [[4, 8, 12, 28], [20, 8, 28, 28], [40, 0, 60, 20]], [30, -1, -1], [False, False, True]
    )
    second = Targets.of([[5, 8, 13, 28]], [30])
    pictures = [
        Picture("v/1.jpg", write_image(tmp_path / "in" / "1.jpg", seed=1), first, where="a.txt:1"),
        Picture("v/2.jpg", write_image(tmp_path / "in" / "2.jpg", seed=2), second, where="a.txt:2"),
    ]
    return SourceSet("eth", "ETHZ", {"train": [Clip("v", pictures)]})


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_counts(source: SourceSet) -> None:
    counts = make_plan(source).counts["eth.train"].to_dict()
    assert counts == {
        "images": 2, "boxes": 3, "with_identity": 2, "ignored": 1, "identities": 1
    }  # fmt: skip


def test_done_once(source: SourceSet, tmp_path: Path) -> None:
    plan, out = make_plan(source), tmp_path / "out"
    first = write_plan(plan, out)
    assert (first.images_made, first.texts_made) == (2, 3)
    times = {path: os.lstat(path).st_mtime_ns for path in out.rglob("*")}
    second = write_plan(plan, out)
    assert (second.images_made, second.images_kept) == (0, 2)
    assert (second.texts_made, second.texts_kept) == (0, 3)
    assert {path: os.lstat(path).st_mtime_ns for path in out.rglob("*")} == times


@pytest.mark.parametrize("mode", ["link", "copy"])
def test_taken_up_again_after_an_interruption(source: SourceSet, tmp_path: Path, mode) -> None:
    plan = make_plan(source)
    write_plan(plan, tmp_path / "whole", mode)

    def stop(done: int, total: int) -> None:
        assert total == 5
        if done == 3:
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        write_plan(plan, out, mode, stop)
    assert not (out / "lists").exists()
    written = write_plan(plan, out, mode)
    assert (written.images_made, written.images_kept, written.texts_kept) == (0, 2, 1)
    assert tree(out) == tree(tmp_path / "whole")


def test_half_a_file_is_never_there(source: SourceSet, tmp_path: Path, monkeypatch) -> None:
    out = tmp_path / "out"

    def broken(origin: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mmdeepmot.converters.write.shutil.copyfile", broken)
    with pytest.raises(OSError, match="No space left"):
        write_plan(make_plan(source), out, "copy")
    assert tree(out) == {}


def test_what_changed_is_made_again(source: SourceSet, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_plan(make_plan(source), out)
    source.splits["train"][0].pictures[1].targets.bboxes[0] += 1
    written = write_plan(make_plan(source), out, "copy")
    assert (written.images_made, written.texts_made, written.texts_kept) == (2, 1, 2)
    assert labels(out, "ETHZ/images/v/2.jpg") == [[0, 0, 6, 9, 14, 29]]
    assert not (out / "ETHZ" / "images" / "v" / "2.jpg").is_symlink()
    assert (out / "ETHZ" / "images" / "v" / "2.jpg").read_bytes() == encoded(seed=2)


@pytest.mark.parametrize("mode", ["link", "copy"])
def test_originals_are_never_written_over(source: SourceSet, tmp_path: Path, mode) -> None:
    pictures = source.splits["train"][0].pictures
    for picture, number in zip(pictures, (2, 1), strict=True):  # each where the other will be
        picture.source = write_image(
            tmp_path / "data" / "ETHZ" / "images" / "v" / f"{number}.jpg", seed=number
        )
    (tmp_path / "same").symlink_to(tmp_path / "data")
    before = tree(tmp_path / "data")
    for out in (tmp_path / "data", tmp_path / "same"):
        with pytest.raises(InputError, match=r"ETHZ/images/v: the original images lie where"):
            write_plan(make_plan(source), out, mode)
        assert tree(tmp_path / "data") == before


def test_a_copy_of_another_image_of_the_same_length_is_replaced(
    source: SourceSet, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first, second = (picture.source for picture in source.splits["train"][0].pictures)
    assert isinstance(first, Path) and isinstance(second, Path)
    for number, path in enumerate((first, second)):
        Image.new("RGB", (64, 48), (number, 0, 0)).save(path.with_suffix(".bmp"))
        os.utime(path.with_suffix(".bmp"), (number, number))
    pictures = source.splits["train"][0].pictures[:1]
    source.splits["train"][0].pictures = pictures
    pictures[0].name, pictures[0].source = "v/1.bmp", first.with_suffix(".bmp")
    write_plan(make_plan(source), out, "copy")
    pictures[0].source = second.with_suffix(".bmp")
    assert write_plan(make_plan(source), out, "copy").images_made == 1
    copied = out / "ETHZ" / "images" / "v" / "1.bmp"
    assert copied.read_bytes() == second.with_suffix(".bmp").read_bytes()
    assert write_plan(make_plan(source), out, "copy").images_kept == 1


def test_identities_are_numbered_from_0(source: SourceSet, tmp_path: Path) -> None:
    write_plan(make_plan(source), tmp_path)
    assert [row[1] for row in labels(tmp_path, "ETHZ/images/v/1.jpg")] == [0, -1, -1]


def test_checksum_tells_annotations_apart(source: SourceSet) -> None:
    first = checksum(make_plan(source))
    assert checksum(make_plan(source)) == first
    source.splits["train"][0].pictures[0].targets.bboxes[0, 0] += 0.01
    assert checksum(make_plan(source)) != first


class TestCleaning:
    SIZE = (64, 48)

    def clean(self, targets: Targets) -> tuple[Targets, list[str]]:
        return clean_targets(Picture("a.jpg", Path("a.jpg"), targets, where="f:1"), self.SIZE)

    def test_values(self) -> None:
        boxes = [
            [0, 0, 8, 8],
            [8, 8, 8, 20],
            [np.nan, 0, 8, 8],
            [64, 0, 70, 8],
            [-8, 0, 0, 8],
            [-8, 0, 1, 8],
            [60, 40, 90, 90],
        ]
        kept, problems = self.clean(Targets.of(boxes))
        assert kept.bboxes.tolist() == [boxes[0], boxes[5], boxes[6]]
        assert len(problems) == 4
        assert problems[0].startswith("f:1: a.jpg: expected a box of positive width and height")
        assert "finite" in problems[1]
        assert "meets the image of 64x48 px" in problems[2]

    def test_identities_once_and_none_for_what_is_ignored(self) -> None:
        box = [0, 0, 8, 8]
        kept, problems = self.clean(Targets.of([box] * 4, [3, 3, 4, 4], [0, 0, 1, 0]))
        assert kept.identities.tolist() == [3, -1, -1, 4]
        assert len(problems) == 1

    def test_nothing(self) -> None:
        kept, problems = self.clean(Targets.of(np.zeros((0, 4))))
        assert (len(kept), problems) == (0, [])


def test_visible_part() -> None:
    full = np.array([[0, 0, 10, 20], [0, 0, 10, 20], [0, 0, 10, 20], [0, 0, 0, 0]], dtype=float)
    seen = np.array([[0, 0, 10, 5], [5, 10, 15, 30], [50, 50, 60, 60], [0, 0, 1, 1]], dtype=float)
    assert visible_part(seen, full).tolist() == [0.25, 0.25, 0, 1]


class TestKnownCounts:
    def test_rounded_as_printed(self) -> None:
        known = Known("boxes", 17000, "somebody", 1000)
        assert [known.agrees(count) for count in (16499, 16500, 17000, 17499, 17501)] == [
            False, True, True, True, False,
        ]  # fmt: skip
        assert known.verdict(17100) == "boxes 17100: as known (17K, somebody)"
        assert known.verdict(9) == "boxes 9: DIFFERS from 17K (somebody)"

    def test_exact(self) -> None:
        known = Known("images", 5316, "somebody", note="why")
        assert known.agrees(5316)
        assert known.verdict(5315) == "images 5315: DIFFERS from 5316 (somebody); why"

    def test_identities_are_counted_once(self) -> None:
        counts = Counts()
        for ids in ([1, 2], [2, -1]):
            counts.add(Targets.of([[0, 0, 1, 1]] * 2, ids))
        assert (counts.identities, counts.with_identity, counts.boxes) == (2, 3, 4)

    def test_the_joint_set(self, tmp_path: Path) -> None:
        assert describe_joint(tmp_path) == ""
        figures = {"images": 9000, "boxes": 45000, "with_identity": 5, "ignored": 0}
        names = ("eth", "citypersons", "caltech", "mot17", "cuhksysu", "prw")
        for number, name in enumerate(names):
            text = describe_joint(tmp_path)
            assert ("missing" in text) == (number > 0)
            counts = {f"{name}.train": {**figures, "identities": 1450}}
            (tmp_path / "reports").mkdir(exist_ok=True)
            (tmp_path / "reports" / f"{name}.lists.json").write_text(json.dumps({"counts": counts}))
        text = describe_joint(tmp_path)
        assert "all: images 54000: as known (54K, JDE paper, Table 2)" in text
        assert "all: boxes 270000: as known (270K, JDE paper, Table 2)" in text
        assert "all: identities 8700: as known (8.7K, JDE paper, Table 2)" in text
        report = tmp_path / "reports" / "cuhksysu.lists.json"
        counts = {"cuhksysu.train": {**figures, "identities": 1}}
        report.write_text(json.dumps({"counts": counts}))
        text = describe_joint(tmp_path)
        assert "identities 7251: DIFFERS from 8.7K (JDE paper, Table 2); the paper counts" in text

    @pytest.mark.parametrize(
        "content", ["", '{"counts": {', "[]", "{}", '{"counts": {"eth.train": {"images": 3}}}']
    )
    def test_a_damaged_report(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "reports").mkdir()
        (tmp_path / "reports" / "eth.lists.json").write_text(content)
        with pytest.raises(InputError, match=r"eth\.lists\.json: expected .* convert that set"):
            describe_joint(tmp_path)


class TestCommand:
    @pytest.fixture
    def eth(self, tmp_path: Path) -> Path:
        write_image(tmp_path / "ETH" / "s" / "left" / "1.png")
        (tmp_path / "ETH" / "s" / "a.idl").write_text('"left/1.png": (1, 2, 10, 20).')
        return tmp_path / "ETH"

    def test_dry_run_writes_nothing(
        self, eth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert call_tool("eth", eth, "--out", tmp_path / "out", "--dry-run") == 0
        assert not (tmp_path / "out").exists()
        assert "dry run: would make 1 images, 2 text files" in capsys.readouterr().out

    def test_report(self, eth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "out"
        assert call_tool("eth", eth, "--out", out) == 0
        report = json.loads((out / "reports" / "eth.lists.json").read_text())
        assert report["counts"]["eth.train"]["images"] == 1
        assert report["written"]["texts_made"] == 2
        said = capsys.readouterr().out
        assert report["checksum"] in said
        assert "images: 1 made, 0 there already; text files: 2 made, 0 there already" in said
        assert "prw.train" in said and "missing" in said
        assert call_tool("eth", eth, "--out", out) == 0
        assert "images: 0 made, 1 there already" in capsys.readouterr().out
        assert listed(out, "eth.train") == ["ETHZ/images/s/00000001.png"]

    def test_a_report_a_form(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Folders have all frames, lists those with persons: the joint table is of the lists."""
        caltech, out = write_caltech(tmp_path), tmp_path / "out"
        tables = []
        for form in ("lists", "mot", "lists"):
            assert call_tool("caltech", caltech, "--out", out, "--form", form) == 0
            tables.append(capsys.readouterr().out.partition("\n\n")[2])
        assert tables[0] == tables[2] and "caltech.train" in tables[0] and tables[1] == ""
        images = {
            file.name: json.loads(file.read_text())["counts"]["caltech.train"]["images"]
            for file in (out / "reports").iterdir()
        }
        assert images["caltech.lists.json"] == 2 < images["caltech.mot.json"]

    def test_a_dry_run_names_all_that_is_wrong(
        self, eth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with (eth / "s" / "a.idl").open("a") as file:
            file.writelines(f'\n"missing_{number}.png": (1, 2, 10, 20);' for number in range(8))
        assert call_tool("eth", eth, "--out", tmp_path / "out", "--dry-run") == 1
        said = capsys.readouterr().out
        assert [f"missing_{n}.png: image not found" in said for n in range(8)] == [True] * 8
        assert call_tool("eth", eth, "--out", tmp_path / "out") == 1
        said = capsys.readouterr().out
        assert said.count("image not found") == 5 and "and 3 more, in the report" in said
        report = json.loads((tmp_path / "out" / "reports" / "eth.lists.json").read_text())
        assert len(report["bad_files"]) == 8

    def test_what_a_killed_run_left_is_deleted(self, eth: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert call_tool("eth", eth, "--out", out) == 0
        left = [
            out / "ETHZ/images/s/.00000001.png.0123abcd.writing",
            out / "ETHZ/labels_with_ids/s/.00000001.txt.0123abcd.writing",
            out / "lists/.eth.train.0123abcd.writing",
            out / "reports/.eth.lists.json.0123abcd.writing",
        ]
        others = [out / "lists/.prw.train.0123abcd.writing", out / "lists/.eth.train.bak"]
        for file in (*left, *others):
            assert file.parent.is_dir()
            file.write_text("half")
        assert call_tool("eth", eth, "--out", out) == 0
        assert [file for file in (*left, *others) if file.exists()] == others

    def test_broken_images_are_found_by_decoding(
        self, eth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        broken = write_image(eth / "s" / "left" / "2.jpg")
        broken.write_bytes(broken.read_bytes()[:-100])
        with (eth / "s" / "a.idl").open("a") as file:
            file.write('\n"left/2.jpg": (1, 2, 10, 20).')
        assert call_tool("eth", eth, "--out", tmp_path / "quick") == 0
        assert call_tool("eth", eth, "--out", tmp_path / "out", "--verify") == 1
        assert "2.jpg: image is truncated" in capsys.readouterr().err
        assert listed(tmp_path / "out", "eth.train") == ["ETHZ/images/s/00000001.png"]

    def test_nothing_to_write(
        self, eth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (eth / "s" / "left" / "1.png").write_bytes(b"")
        assert call_tool("eth", eth, "--out", tmp_path / "out") == 1
        assert "eth: nothing to write:" in capsys.readouterr().err


def test_photographs_are_no_folders(source: SourceSet) -> None:
    from mmdeepmot.converters.plan import Options

    source.splits["train"][0].is_video = False
    with pytest.raises(InputError, match="photographs have no order"):
        make_plan(source, Options("mot"))


@pytest.mark.parametrize(
    "name", ["", "/a.jpg", "../a.jpg", "a\\b.jpg", "a\nb.jpg", "a.jpg\r", " a.jpg", "a\u2028b.jpg"]
)
def test_names_that_lists_cannot_hold(source: SourceSet, name: str) -> None:
    source.splits["train"][0].pictures[1].name = name
    plan = make_plan(source)
    assert list(plan.images) == ["ETHZ/images/v/1.jpg"]
    assert plan.bad_files[0].startswith("a.txt:2: expected the name of an image inside of the set")


def test_the_same_image_twice(source: SourceSet) -> None:
    pictures = source.splits["train"][0].pictures
    pictures[1].name = "v/1.png"
    plan = make_plan(source)
    assert list(plan.images) == ["ETHZ/images/v/1.jpg"]
    assert "a.txt:2: the image v/1.png is in the set twice" in plan.bad_files[0]
