"""Views of an index: frames, clips, video; seeds; bad images."""

import pickle
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mmdeepmot.datasets import MOTChallengeDataset, MOTDataset
from mmdeepmot.io import ImageError
from mmdeepmot.registry import DATASETS

TRAIN: list[dict[str, Any]] = [
    {"type": "LoadFrame"},
    {"type": "LoadTracks"},
    {"type": "RandomAffineLetterbox", "size": (96, 64)},
    {"type": "HSVJitter"},
    {"type": "RandomFlipTracks"},
    {"type": "PackFrame"},
]
TEST: list[dict[str, Any]] = [
    {"type": "LoadFrame"},
    {"type": "Letterbox", "size": (96, 64)},
    {"type": "LoadTracks"},
    {"type": "PackFrame"},
]


@pytest.fixture
def root(write_sequence) -> Path:
    """Sequences A (5 frames) and B (3 frames), one person each in every frame."""
    for name, length in (("A", 5), ("B", 3)):
        gt = [f"{frame},1,{10 + frame},10,16,32,1,1,1" for frame in range(1, length + 1)]
        folder = write_sequence(name, length=length, gt=gt)
    return folder.parent


def numbers(sample: Any) -> list[int]:
    return [frame.metainfo["frame_number"] for frame in sample.video_data_samples]


class TestViews:
    def test_frames(self, root: Path) -> None:
        dataset = MOTChallengeDataset(root, TEST, test_mode=True)
        assert len(dataset) == 8
        item = dataset[6]
        assert item["inputs"].shape == (3, 64, 96)
        meta = item["data_samples"].metainfo
        assert (meta["video_name"], meta["frame_id"], meta["frame_number"]) == ("B", 1, 2)
        assert (meta["video_id"], meta["video_length"], meta["fps"]) == (1, 3, 25)
        assert meta["ori_shape"] == (48, 64)
        assert meta["img_shape"] == (64, 96)
        # ground truth stays in original pixels; input = original * scale_factor + pad_offset
        assert item["data_samples"].gt_instances.bboxes.tolist() == [[12, 10, 28, 42]]
        assert meta["scale_factor"] == (85 / 64, 64 / 48)
        assert meta["pad_offset"] == (5, 0)

    def test_clips(self, root: Path) -> None:
        dataset = MOTChallengeDataset(root, TEST, view="clips", clip_length=2)
        assert len(dataset) == 4 + 2
        assert dataset.sequence_ids.tolist() == [0] * 4 + [1] * 2
        assert dataset.successors.tolist() == [1, 2, 3, -1, 5, -1]
        item = dataset[4]
        assert item["inputs"].shape == (2, 3, 64, 96)
        assert numbers(item["data_samples"]) == [1, 2]
        assert item["data_samples"][0].metainfo["video_name"] == "B"

    def test_clips_with_a_stride(self, root: Path) -> None:
        dataset = MOTChallengeDataset(root, TEST, view="clips", clip_length=2, stride=3)
        assert [numbers(dataset[item]["data_samples"]) for item in range(3)] == [
            [1, 2],
            [4, 5],
            [1, 2],
        ]

    def test_clips_do_not_cross_a_gap(self, root: Path) -> None:
        (root / "A" / "img1" / "000003.png").unlink()
        clips = MOTChallengeDataset(root, TEST, view="clips", clip_length=2)
        assert [numbers(clips[item]["data_samples"]) for item in range(2)] == [[1, 2], [4, 5]]
        wide = MOTChallengeDataset(root, TEST, view="clips", clip_length=2, max_gap=2)
        assert numbers(wide[1]["data_samples"]) == [2, 4]

    def test_video(self, root: Path) -> None:
        dataset = MOTChallengeDataset(root, TEST, view="video", clip_length=2, test_mode=True)
        chunks = [numbers(dataset[item]["data_samples"]) for item in range(len(dataset))]
        assert chunks == [[1, 2], [3, 4], [5], [1, 2], [3]]
        assert dataset.sequence_ids.tolist() == [0, 0, 0, 1, 1]
        assert dataset.successors.tolist() == [1, 2, -1, 4, -1]
        assert dataset[2]["inputs"].shape == (1, 3, 64, 96)

    def test_whole_video_in_a_chunk(self, root: Path) -> None:
        dataset = MOTChallengeDataset(root, TEST, view="video", clip_length=100, test_mode=True)
        assert [len(dataset[item]["inputs"]) for item in range(2)] == [5, 3]

    def test_views_hold_the_same_pixels(self, root: Path) -> None:
        frames = MOTChallengeDataset(root, TEST)
        video = MOTChallengeDataset(root, TEST, view="video", clip_length=4)
        stacked = torch.stack([frames[item]["inputs"] for item in range(4)])
        assert torch.equal(video[0]["inputs"], stacked)

    def test_too_long_clips(self, root: Path) -> None:
        with pytest.raises(ValueError, match=r"no items: 8 frames .*'clips' view of clip_length 9"):
            MOTChallengeDataset(root, TEST, view="clips", clip_length=9)

    def test_unknown_view(self, root: Path) -> None:
        with pytest.raises(ValueError, match="view must be 'frames', 'clips' or 'video', got 'x'"):
            MOTChallengeDataset(root, view="x")  # type: ignore[arg-type]

    def test_bad_length(self, root: Path) -> None:
        with pytest.raises(ValueError, match="at least 1, got 0 and 1"):
            MOTChallengeDataset(root, view="video", clip_length=0)

    def test_out_of_range(self, root: Path) -> None:
        dataset = MOTChallengeDataset(root, TEST)
        with pytest.raises(IndexError, match="item 8 of 8"):
            dataset[8]
        assert dataset[-1]["data_samples"].metainfo["frame_number"] == 3

    def test_training_boxes_are_in_input_pixels(self, root: Path) -> None:
        sample = MOTChallengeDataset(root, TRAIN)[(0, 1)]["data_samples"]
        meta = sample.metainfo
        assert "scale_factor" not in meta  # an affine has none
        corners = np.array([[19.0, 26.0]])  # centre of (11, 10, 27, 42)
        centre = corners @ meta["homography_matrix"][:2, :2].T + meta["homography_matrix"][:2, 2]
        box = sample.gt_instances.bboxes[0].numpy()
        assert np.allclose((box[:2] + box[2:]) / 2, centre[0], atol=1e-3)


class RandomShade:
    """A transform of somebody else's, which draws from ``random``."""

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        results["img"] = results["img"] // random.randint(1, 100)
        return results


class TestSeeds:
    def pipeline(self) -> Sequence[Any]:
        return [*TRAIN[:2], RandomShade(), *TRAIN[2:]]

    def test_the_seed_decides(self, root: Path) -> None:
        dataset = MOTChallengeDataset(root, self.pipeline())
        one = dataset[(2, 7)]
        np.random.seed(123)
        random.seed(99)
        dataset[(3, 1)]
        two = dataset[(2, 7)]
        assert torch.equal(one["inputs"], two["inputs"])
        boxes = [item["data_samples"].gt_instances.bboxes for item in (one, two)]
        assert torch.equal(*boxes)
        assert not torch.equal(one["inputs"], dataset[(2, 8)]["inputs"])

    def test_workers_change_nothing(self, root: Path) -> None:
        dataset = MOTChallengeDataset(root, self.pipeline())
        sampler = [(item, 100 + item) for item in range(8)]

        def load(workers: int) -> torch.Tensor:
            loader = DataLoader(
                dataset,
                batch_size=2,
                sampler=sampler,
                num_workers=workers,
                collate_fn=lambda items: torch.stack([item["inputs"] for item in items]),
            )
            return torch.cat(list(loader))

        assert torch.equal(load(0), load(2))

    def test_numpy_integers_are_welcome(self, root: Path) -> None:
        dataset = MOTChallengeDataset(root, TRAIN)
        a = dataset[(np.int64(1), np.uint32(4_000_000_000))]
        assert torch.equal(a["inputs"], dataset[(1, 4_000_000_000)]["inputs"])

    def test_frames_of_a_clip_share_their_augmentation(self, root: Path) -> None:
        def matrices(consistent: bool, item: Any) -> list[np.ndarray]:
            dataset = MOTChallengeDataset(
                root, TRAIN, view="clips", clip_length=3, consistent=consistent
            )
            frames = dataset[item]["data_samples"].video_data_samples
            return [frame.metainfo["homography_matrix"] for frame in frames]

        for item in ((0, 5), 0):
            same = matrices(True, item)
            assert np.array_equal(same[0], same[1])
            assert np.array_equal(same[0], same[2])
        different = matrices(False, (0, 5))
        assert not np.array_equal(different[0], different[1])
        assert np.array_equal(different[2], matrices(False, (0, 5))[2])


class TestBadImages:
    @pytest.fixture
    def warnings(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        messages: list[str] = []
        monkeypatch.setattr(
            "mmdeepmot.datasets.base.print_log", lambda text, **_: messages.append(text)
        )
        return messages

    def test_training_takes_the_next_and_counts(self, root: Path, warnings: list[str]) -> None:
        file = root / "A" / "img1" / "000002.png"
        file.write_bytes(file.read_bytes()[:-100])
        dataset = MOTChallengeDataset(root, TRAIN)
        replaced, following = dataset[(1, 3)], dataset[(2, 3)]
        assert torch.equal(replaced["inputs"], following["inputs"])
        assert dataset.unreadable_images == 1
        assert len(warnings) == 1
        assert "000002.png: image is truncated" in warnings[0]
        assert "1 so far" in warnings[0]

    def test_warnings_end(self, root: Path, warnings: list[str]) -> None:
        (root / "A" / "img1" / "000002.png").write_bytes(b"")
        dataset = MOTChallengeDataset(root, TRAIN)
        for seed in range(15):
            dataset[(1, seed)]
        assert dataset.unreadable_images == 15
        assert len(warnings) == 10
        assert "no more warnings" in warnings[-1]

    def test_nothing_is_readable(self, root: Path, warnings: list[str]) -> None:
        for file in root.glob("*/img1/*.png"):
            file.write_bytes(b"")
        with pytest.raises(ImageError, match="8 images in a row cannot be read"):
            MOTChallengeDataset(root, TRAIN)[0]

    @pytest.mark.parametrize("view", ["frames", "video"])
    def test_testing_names_the_file(self, root: Path, view: Any) -> None:
        (root / "A" / "img1" / "000001.png").write_bytes(b"")
        dataset = MOTChallengeDataset(root, TEST, view=view, test_mode=True)
        with pytest.raises(ImageError, match=r"A/img1/000001\.png: image file is empty"):
            dataset[0]

    @pytest.mark.parametrize("pipeline", [TRAIN, TEST])
    def test_image_size_changes_inside_a_sequence(self, root: Path, pipeline: Any) -> None:
        (root / "A" / "img1" / "000002.png").write_bytes(
            _png(np.zeros((10, 12, 3), dtype=np.uint8))
        )
        with pytest.raises(ValueError, match=r"000002\.png: frame 2 of sequence A is 12x10 px"):
            MOTChallengeDataset(root, pipeline)[1]

    def test_a_transform_that_returns_nothing(self, root: Path) -> None:
        with pytest.raises(ValueError, match=r"returned None for .*000001\.png"):
            MOTChallengeDataset(root, [lambda results: None])[0]


def _png(image: np.ndarray) -> bytes:
    import cv2

    return cv2.imencode(".png", image)[1].tobytes()


def test_what_it_says_of_itself(root: Path) -> None:
    dataset = MOTChallengeDataset(root, TRAIN, split="train_half")
    assert dataset.metainfo == {
        "classes": ("pedestrian",),
        "class_numbers": (1,),
        "palette": [(220, 20, 60)],
        "num_identities": 2,
    }
    text = repr(dataset)
    assert "data train_half: 2 sequences, 5 frames, 5 boxes, 0 ignored, 2 identities" in text
    assert "LoadFrame, LoadTracks, RandomAffineLetterbox" in text


def test_from_the_registry(root: Path) -> None:
    dataset = DATASETS.build(
        {"type": "MOTChallengeDataset", "data_root": str(root), "pipeline": TEST}
    )
    assert isinstance(dataset, MOTDataset)
    assert len(pickle.loads(pickle.dumps(dataset))) == 8  # spawned workers


def test_memory_holds_no_object_an_item(root: Path) -> None:
    """All that grows with the data is numpy."""
    index = MOTChallengeDataset(root).index
    arrays = [index.frame_sequences, index.frame_numbers, index.sizes, index.paths.data]
    arrays += [index.boxes.bboxes, index.boxes.identities, index.boxes.ignore]
    assert all(isinstance(array, np.ndarray) and array.dtype != object for array in arrays)
    assert len(index.sequences) == 2
