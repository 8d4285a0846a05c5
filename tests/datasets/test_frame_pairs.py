"""Pairs of frames with somebody in both: which there are, and what is drawn."""

import numpy as np
import pytest

from mmdeepmot.datasets import AnnotationIndex, FramePairDataset, JointDataset, MOTDataset
from mmdeepmot.datasets.frame_pairs import frames_seen_again, partners
from mmdeepmot.datasets.index import Boxes, PackedStrings, SequenceRecord
from mmdeepmot.io.image import ImageError

PIPELINE = [{"type": "LoadTracks"}, {"type": "PackFrame"}]


def make_index(people, numbers=None, sequences=None, video=True, ignore=()):
    """An index whose frame f shows the identities ``people[f]``."""
    count = len(people)
    frames = np.repeat(np.arange(count), [len(ids) for ids in people])
    ids = np.concatenate([np.asarray(ids, int) for ids in people])
    boxes = np.stack([frames * 3.0, ids * 5.0, frames * 3.0 + 10, ids * 5.0 + 20], axis=1)
    flags = np.isin(np.arange(len(ids)), ignore)
    owners = np.zeros(count, np.int32) if sequences is None else np.asarray(sequences, np.int32)
    return AnnotationIndex(
        sequences=[SequenceRecord(f"S{n}", is_video=video) for n in range(owners.max() + 1)],
        frame_sequences=owners,
        frame_numbers=np.arange(1, count + 1) if numbers is None else np.asarray(numbers),
        paths=PackedStrings.pack(f"{n}.png" for n in range(count)),
        sizes=np.tile(np.array([[64, 48]], np.int32), (count, 1)),
        boxes=Boxes.of_frames(frames, count, boxes, ids, flags, np.ones(len(ids))),
    )


class BlankImages:
    """Instead of decoding files: every pixel of frame n is n."""

    def __call__(self, results):
        number = results["frame_number"]
        results["img"] = np.full((48, 64, 3), number, dtype=np.uint8)
        results["img_shape"] = (48, 64)
        return results


def dataset(*args, max_distance=2, pipeline=(), **kwargs):
    steps = [BlankImages(), *pipeline, *PIPELINE]
    return FramePairDataset(MOTDataset(make_index(*args, **kwargs), steps), max_distance)


PEOPLE = [[0, 1], [1], [2], [0], [], [2, 3], [3]]


def test_frames_with_a_partner_by_hand():
    index = make_index(PEOPLE)
    assert frames_seen_again(index, 1).tolist() == [0, 1, 5, 6]
    assert frames_seen_again(index, 3).tolist() == [0, 1, 2, 3, 5, 6]
    assert partners(index, 0, 3).tolist() == [1, 3]
    assert partners(index, 0, 2).tolist() == [1]
    assert partners(index, 5, 3).tolist() == [2, 6]
    assert partners(index, 4, 3).tolist() == []


def test_distance_counts_frame_numbers_and_ends_with_the_sequence():
    assert frames_seen_again(make_index([[0]] * 4, numbers=[1, 2, 9, 10]), 1).tolist() == [
        0, 1, 2, 3,
    ]  # fmt: skip
    assert frames_seen_again(make_index([[0], [1], [0]], numbers=[1, 2, 9]), 5).tolist() == []
    split = make_index([[0], [0], [0]], sequences=[0, 0, 1])
    assert frames_seen_again(split, 9).tolist() == [0, 1]
    assert partners(split, 2, 9).tolist() == []


def test_ignored_boxes_and_unrelated_images_make_no_pairs():
    assert frames_seen_again(make_index([[0, 1], [0, 1]], ignore=[0, 3]), 1).tolist() == []
    assert frames_seen_again(make_index([[0], [0]], video=False), 1).tolist() == []


def test_agrees_with_looking_at_every_pair():
    rng = np.random.default_rng(0)
    people = [rng.permutation(6)[: rng.integers(0, 4)] for _ in range(60)]
    numbers = np.cumsum(rng.integers(1, 4, 60))
    index = make_index(people, numbers=numbers)
    for distance in (1, 4, 9):
        expected = [
            [
                g
                for g in range(60)
                if g != f
                and abs(numbers[f] - numbers[g]) <= distance
                and set(people[f]) & set(people[g])
            ]
            for f in range(60)
        ]
        assert [partners(index, f, distance).tolist() for f in range(60)] == expected
        assert frames_seen_again(index, distance).tolist() == [f for f in range(60) if expected[f]]


def test_an_item_is_a_clip_of_two_frames():
    pairs = dataset(PEOPLE, max_distance=3)
    assert len(pairs) == 6
    item = pairs[(0, 5)]
    assert item["inputs"].shape == (2, 3, 48, 64)
    first, second = item["data_samples"]
    assert item["inputs"][:, 0, 0, 0].tolist() == [first.frame_number, second.frame_number]
    assert first.frame_number == 1
    assert second.frame_number in (2, 4)
    common = set(first.gt_instances.instances_ids.tolist())
    assert common & set(second.gt_instances.instances_ids.tolist())
    assert item["data_samples"].key_frames_inds == [0, 1]


def test_the_seed_decides_and_all_partners_come():
    pairs = dataset(PEOPLE, max_distance=3)
    drawn = [pairs[(0, seed)]["data_samples"][1].frame_number for seed in range(20)]
    assert drawn == [pairs[(0, seed)]["data_samples"][1].frame_number for seed in range(20)]
    assert set(drawn) == {2, 4}
    pairs[0]  # without a seed


def test_both_frames_are_augmented_alike():
    flip = {"type": "RandomAffineLetterbox", "size": (64, 64)}
    item = dataset(PEOPLE, pipeline=[flip])[(0, 3)]
    first, second = (frame.homography_matrix for frame in item["data_samples"])
    np.testing.assert_array_equal(first, second)


def test_several_datasets_at_once():
    parts = [MOTDataset(make_index(PEOPLE), [BlankImages(), *PIPELINE], name=n) for n in "ab"]
    pairs = FramePairDataset(JointDataset(parts), 1)
    assert len(pairs) == 8
    assert pairs.num_identities == 8
    ids = pairs[(4, 0)]["data_samples"][0].gt_instances.instances_ids.tolist()
    assert ids == [4, 5]


def test_unreadable_images_are_replaced_in_training():
    class Broken(BlankImages):
        def __call__(self, results):
            if results["frame_number"] == 1:
                raise ImageError("frame 1 is broken")
            return super().__call__(results)

    source = MOTDataset(make_index(PEOPLE), [Broken(), *PIPELINE])
    pairs = FramePairDataset(source, 1)
    item = pairs[(0, 0)]  # frame 1 is broken, and the only partner of frame 2
    assert {frame.frame_number for frame in item["data_samples"]} == {6, 7}
    assert source.unreadable_images == 2
    source.test_mode = True
    with pytest.raises(ImageError, match="frame 1 is broken"):
        pairs[(0, 0)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dataset(PEOPLE, max_distance=0), "must be at least 1 frame, got 0"),
        (lambda: dataset([[0], [1], [2]]), "no identity is seen twice within 2 frames in MOTD"),
        (
            lambda: FramePairDataset(
                MOTDataset(make_index(PEOPLE), PIPELINE, view="clips", clip_length=2)
            ),
            "with view='frames', got 'clips': leave out `view`",
        ),
        (lambda: FramePairDataset([1, 2]), "datasets of tracked boxes.*got 'list'"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
