"""MOTChallenge folders: layouts, the benchmark's rule, splits, and bad input."""

from pathlib import Path

import numpy as np
import pytest

from mmdeepmot.datasets.mot_challenge import (
    MOTChallengeDataset,
    find_sequences,
    split_range,
    target_rows,
)
from mmdeepmot.errors import InputError
from mmdeepmot.io import MOTRows


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    messages: list[str] = []
    for module in ("mmdeepmot.io.mot", "mmdeepmot.datasets.mot_challenge"):
        monkeypatch.setattr(f"{module}.print_log", lambda text, **_: messages.append(text))
    return messages


class TestRule:
    def test_mot17(self) -> None:
        classes = np.array([1, 1, 2, 7, 8, 12, 3, 9, 6])
        flags = np.array([1, 0, 0, 0, 1, 0, 1, 0, 0])
        rows = MOTRows.from_arrays(np.ones(9), np.arange(9), np.ones((9, 4)), flags, classes)
        target, ignore = target_rows(rows)
        assert target.tolist() == [True] + [False] * 8
        assert ignore.tolist() == [False, False, True, True, True, True, False, False, False]
        assert target_rows(rows, (2, 7, 8, 12, 6))[1][8]

    def test_mot15_counts_flags(self) -> None:
        rows = MOTRows.from_arrays(np.ones(2), np.arange(2), np.ones((2, 4)), np.array([1, 0]))
        target, ignore = target_rows(rows)
        assert target.tolist() == [True, False]
        assert not ignore.any()

    @pytest.mark.parametrize(("name", "ignored"), [("MOT20-01", 1), ("MOT17-02", 0)])
    def test_mot20_ignores_vehicles_that_are_not_motorized(
        self, write_sequence, name: str, ignored: int
    ) -> None:
        gt = ["1,1,10,10,8,16,1,1,1", "1,2,30,10,8,16,0,6,1"]
        folder = write_sequence(name, gt=gt)
        assert MOTChallengeDataset(folder.parent).count_boxes()["ignored"] == ignored


class TestSplits:
    @pytest.mark.parametrize("length", [2, 3, 4, 5, 7, 8, 525, 600, 837])
    def test_parts_meet_and_do_not_overlap(self, length: int) -> None:
        first, last = split_range(length, "train_half")
        assert (first, last) == (1, length // 2 + 1)
        assert split_range(length, "val_half") == (last + 1, length)
        first, last = split_range(length, "train_five_sixths")
        assert (first, last) == (1, length * 5 // 6)
        assert split_range(length, "val_sixth") == (last + 1, length)
        train, middle, val = (
            split_range(length, f"deepmot_{part}") for part in ("train", "test", "val")
        )
        assert train == (1, length // 2 + 1)
        assert middle == (train[1] + 1, val[0] - 1)
        assert val[1] == length

    def test_mot17_as_the_papers_count(self) -> None:
        lengths = [600, 1050, 837, 525, 654, 900, 750]

        def frames(split: str) -> int:
            ranges = [split_range(length, split) for length in lengths]
            return sum(last - first + 1 for first, last in ranges)

        assert frames("deepmot_train") == 2664  # DeepMOT, supplementary, exactly
        assert frames("train_half") == 2664
        assert frames("val_half") == 2652
        assert frames("deepmot_val") == 1327  # the paper counts 1,328

    def test_frame_range(self) -> None:
        assert split_range(795, frame_range=(601, 900)) == (601, 795)

    @pytest.mark.parametrize("bad", [(0, 3), (5, 4)])
    def test_bad_frame_range(self, bad: tuple[int, int]) -> None:
        with pytest.raises(ValueError, match=r"frame_range must be .first, last., from 1"):
            split_range(10, frame_range=bad)

    def test_unknown_split(self) -> None:
        with pytest.raises(ValueError, match=r"unknown split 'trainhalf'.* mean 'train_half'"):
            split_range(10, "trainhalf")

    def test_split_and_range(self) -> None:
        with pytest.raises(ValueError, match="split or frame_range, not both"):
            split_range(10, "train_half", (1, 2))

    def test_identities_and_numbers_of_a_part(self, write_sequence) -> None:
        gt = [f"{frame},{frame},10,10,8,16,1,1,1" for frame in (1, 2, 3, 4)]
        root = write_sequence(gt=gt).parent
        part = MOTChallengeDataset(root, split="val_half")
        assert part.index.frame_numbers.tolist() == [4]
        assert part.num_identities == 1
        info = part.frame_info(0)
        assert (info["frame_id"], info["frame_number"], info["video_length"]) == (0, 4, 1)
        assert info["annotations"]["identities"].tolist() == [0]

    def test_empty_part(self, write_sequence) -> None:
        root = write_sequence().parent
        with pytest.raises(ValueError, match=r"no frames in 7\.\.4 .* has the frames 1\.\.4"):
            MOTChallengeDataset(root, frame_range=(7, 9))


class TestSequences:
    def test_one_of_mot17_s_three_copies(self, write_sequence) -> None:
        for name in ("MOT17-02-DPM", "MOT17-02-FRCNN", "MOT17-02-SDP", "MOT17-04-SDP", "Other"):
            root = write_sequence(name).parent
        names = [path.name for path in find_sequences(root, None)]
        assert names == ["MOT17-02-FRCNN", "MOT17-04-SDP", "Other"]
        assert len(find_sequences(root, ["*"])) == 5

    def test_patterns_keep_their_order_and_do_not_repeat(self, write_sequence) -> None:
        for name in ("A-1", "A-2", "B-1"):
            root = write_sequence(name).parent
        found = find_sequences(root, ["B-*", "*-1", "A-2"])
        assert [path.name for path in found] == ["B-1", "A-1", "A-2"]

    def test_unknown_name(self, write_sequence) -> None:
        root = write_sequence("PETS09-S2L1").parent
        with pytest.raises(InputError, match=r"'PETS09-S2L2'; near: \['PETS09-S2L1'\]"):
            find_sequences(root, ["PETS09-S2L2"])

    def test_a_string_is_no_list(self, write_sequence) -> None:
        with pytest.raises(ValueError, match="list of names or patterns, got the str 'A'"):
            find_sequences(write_sequence("A").parent, "A")

    def test_missing_root(self, tmp_path: Path) -> None:
        with pytest.raises(
            FileNotFoundError, match=r"data_root .*expected a folder of MOTChallenge"
        ):
            MOTChallengeDataset(tmp_path / "none")

    def test_root_without_sequences(self, tmp_path: Path) -> None:
        (tmp_path / "train").mkdir()
        with pytest.raises(FileNotFoundError, match=r"expected sequence folders .* \['train'\]"):
            MOTChallengeDataset(tmp_path)


class TestAnnotations:
    def test_values(self, write_sequence) -> None:
        gt = [
            "2,9,10,10,8,16,1,1,0.25",
            "1,9,12,10,8,16,1,1,1",
            "1,4,30,10,8,16,1,1,1",
            "2,5,20,20,9,9,0,8,1",
            "1,6,1,1,9,9,1,3,1",  # a car
        ]
        dataset = MOTChallengeDataset(write_sequence(gt=gt).parent)
        first = dataset.frame_info(0)
        assert first["ori_shape"] == (48, 64)
        assert first["fps"] == 25
        assert first["video_name"] == "MOT17-02-FRCNN"
        assert first["annotations"]["bboxes"].tolist() == [[12, 10, 20, 26], [30, 10, 38, 26]]
        assert first["annotations"]["identities"].tolist() == [1, 0]
        second = dataset.frame_info(1)["annotations"]
        assert second["ignore"].tolist() == [False, True]
        assert second["identities"].tolist() == [1, -1]
        assert second["visibility"].tolist() == [0.25, 1]
        assert dataset.frame_info(2)["annotations"]["bboxes"].shape == (0, 4)

    def test_identities_of_sequences_are_told_apart(self, write_sequence) -> None:
        write_sequence("A")
        dataset = MOTChallengeDataset(write_sequence("B").parent)
        assert dataset.num_identities == 2
        assert dataset.index.boxes.identities.tolist() == [0, 0, 1, 1]
        assert dataset.sequence_ids.tolist() == [0] * 4 + [1] * 4
        assert dataset.successors.tolist() == [1, 2, 3, -1, 5, 6, 7, -1]

    def test_public_detections(self, write_sequence) -> None:
        det = ["3,-1,1,2,3,4,-0.5", "1,-1,10,20,30,40,93.5", "3,-1,5,5,5,5,2", "99,-1,5,5,5,5,2"]
        folder = write_sequence(det=det)
        dataset = MOTChallengeDataset(folder.parent, with_detections="det/det.txt")
        frames = [dataset.frame_info(row)["public_detections"] for row in range(4)]
        assert [len(frame["scores"]) for frame in frames] == [1, 0, 2, 0]
        assert frames[0]["bboxes"].tolist() == [[10, 20, 40, 60]]
        assert frames[2]["scores"].tolist() == [-0.5, 2]

    def test_one_video_with_two_files_of_detections(self, write_sequence) -> None:
        folder = write_sequence("A", det=["1,-1,10,20,30,40,1"])
        (folder / "det/other.txt").write_text("2,-1,10,20,30,40,1\n")
        parts = [
            MOTChallengeDataset(folder.parent, with_detections=f"det/{file}.txt", suffix=suffix)
            for file, suffix in (("det", "-one"), ("other", "-two"))
        ]
        assert [part.index.sequences[0].name for part in parts] == ["A-one", "A-two"]
        found = [len(part.frame_info(0)["public_detections"]["scores"]) for part in parts]
        assert found == [1, 0]

    def test_missing_detections(self, write_sequence) -> None:
        with pytest.raises(FileNotFoundError, match=r"det/det\.txt: expected .* has no text file"):
            MOTChallengeDataset(write_sequence().parent, with_detections="det/det.txt")

    def test_detections_of_another_name(self, write_sequence) -> None:
        folder = write_sequence()
        (folder / "det").mkdir()
        (folder / "det/det.txt").write_text("")
        with pytest.raises(FileNotFoundError, match=r"has det\.txt\. .*rescore_detections\.py"):
            MOTChallengeDataset(folder.parent, with_detections="det/rescored.txt")


class TestBadInput:
    def test_box_outside_is_left_out_in_training_only(
        self, write_sequence, warnings: list[str]
    ) -> None:
        root = write_sequence(gt=["1,1,10,10,8,16,1,1,1", "1,2,500,10,8,16,1,1,1"]).parent
        assert MOTChallengeDataset(root).count_boxes()["boxes"] == 1
        assert "meets the image of 64x48 px" in warnings[0]
        assert MOTChallengeDataset(root, test_mode=True).count_boxes()["boxes"] == 2

    def test_malformed_row(self, write_sequence, warnings: list[str]) -> None:
        root = write_sequence(gt=["1,1,10,10,8,16,1,1,1", "oops"]).parent
        assert len(MOTChallengeDataset(root).index.boxes) == 1
        assert "skipped 1 of 2 rows" in warnings[0]
        with pytest.raises(ValueError, match=r"gt\.txt:2: .*got 1"):
            MOTChallengeDataset(root, strict=True)

    @pytest.mark.parametrize("gt", [None, []])
    def test_sequence_with_no_ground_truth(self, write_sequence, warnings, gt) -> None:
        write_sequence("A", gt=gt)
        root = write_sequence("B").parent
        assert [s.name for s in MOTChallengeDataset(root).index.sequences] == ["B"]
        assert "skipped 1 of 2 sequences; the first: " in warnings[0]
        with pytest.raises(FileNotFoundError, match=r"A/gt/gt\.txt: sequence with no ground truth"):
            MOTChallengeDataset(root, test_mode=True)
        both = MOTChallengeDataset(root, test_mode=True, require_gt=False)
        assert [s.has_ground_truth for s in both.index.sequences] == [False, True]

    def test_no_ground_truth_at_all(self, write_sequence) -> None:
        root = write_sequence(gt=None).parent
        with pytest.raises(FileNotFoundError, match="sequences with ground truth, found none"):
            MOTChallengeDataset(root)

    def test_missing_images(self, write_sequence, tmp_path: Path) -> None:
        root = write_sequence(images=False).parent
        with pytest.raises(FileNotFoundError, match="img1: expected the images of sequence"):
            MOTChallengeDataset(root)
        assert len(MOTChallengeDataset(root, require_images=False)) == 4

    def test_missing_frame(self, write_sequence, warnings: list[str]) -> None:
        folder = write_sequence()
        (folder / "img1" / "000002.png").unlink()
        dataset = MOTChallengeDataset(folder.parent)
        assert dataset.index.frame_numbers.tolist() == [1, 3, 4]
        assert dataset.index.boxes.offsets.tolist() == [0, 1, 1, 1]
        assert dataset.successors.tolist() == [-1, 2, -1]
        assert "1 of them have no image, the first is frame 2" in warnings[0]
        with pytest.raises(FileNotFoundError, match=r"expected 4 frames .* the first is frame 2"):
            MOTChallengeDataset(folder.parent, test_mode=True)

    def test_image_without_a_number(self, write_sequence) -> None:
        folder = write_sequence()
        (folder / "img1" / "000002.png").rename(folder / "img1" / "second.png")
        with pytest.raises(ValueError, match=r"second\.png: expected a file name that ends in"):
            MOTChallengeDataset(folder.parent)

    def test_two_images_of_a_number(self, write_sequence) -> None:
        folder = write_sequence()
        (folder / "img1" / "000002.png").rename(folder / "img1" / "0003.png")
        with pytest.raises(ValueError, match="two images have the frame number 3"):
            MOTChallengeDataset(folder.parent)


def test_dancetrack_names_of_eight_digits(write_sequence) -> None:
    folder = write_sequence("dancetrack0001")
    for path in sorted((folder / "img1").iterdir()):
        path.rename(path.with_name(f"00{path.name}"))
    dataset = MOTChallengeDataset(folder.parent)
    assert dataset.index.paths[3].endswith("00000004.png")


def test_shared_data(shared_data: Path) -> None:
    """Counts of the real sequences (README of the data: 4,476 boxes and 19 tracks; 75 tracks)."""
    root = shared_data / "mot"
    pets = MOTChallengeDataset(root, sequences=["PETS09-S2L1"])
    assert pets.count_boxes() == {
        "images": 795,
        "boxes": 4476,
        "with identity": 4476,
        "ignored": 0,
        "identities": 19,
    }
    later = MOTChallengeDataset(root, sequences=["PETS09-S2L1"], frame_range=(601, 795))
    assert (len(later), later.num_identities) == (195, 9)
    mot17 = MOTChallengeDataset(root, sequences=["MOT17-*"], with_detections="det/det.txt")
    assert mot17.count_boxes()["boxes"] == 9436
    assert mot17.num_identities == 75
    assert mot17.index.detections is not None
    assert len(mot17.index.detections.scores) == 6007
    bare = MOTChallengeDataset(
        shared_data / "association" / "MOT17", require_images=False, test_mode=True
    )
    assert len(bare.index.sequences) == 4
    assert bare.count_boxes()["boxes"] == 47557 + 6917 + 12839 + 9436
