"""Crops of people: which, cut out where, whose; and the batches they come in."""

import numpy as np
import pytest
import tiny

from mmdeepmot.datasets import IdentityCropDataset, JointDataset, MOTChallengeDataset
from mmdeepmot.datasets.transforms import CropBox
from mmdeepmot.engine.samplers import IdentitySampler, identity_groups
from mmdeepmot.io.image import read_image

PIPELINE = [{"type": "LoadFrame"}, {"type": "LoadTracks"}, {"type": "PackFrame"}]
CROPS = [*PIPELINE[:2], {"type": "CropBox", "size": (16, 48)}, PIPELINE[2]]


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """Two sequences of 6 frames; three people of 16x48 px each, 3 px a frame."""
    root = tmp_path_factory.mktemp("crops") / "street"
    tiny.write_street(root)
    return root


def test_a_crop_is_the_person_cut_out(street):
    crops = IdentityCropDataset(MOTChallengeDataset(street), CROPS)
    assert len(crops) == 2 * 3 * 6
    assert crops.num_identities == 6
    for index in (0, 7, 35):
        item = crops[index]
        sample = item["data_samples"]
        identity = sample.gt_instances.instances_ids.tolist()
        assert identity == [crops.identities[index]]
        image = read_image(sample.img_path)
        person, frame = identity[0] % 3, sample.frame_id
        left, top = 8 + 36 * person + 3 * frame, 10 + 12 * person
        cut = image[top : top + 48, left : left + 16]
        np.testing.assert_array_equal(item["inputs"].numpy(), cut.transpose(2, 0, 1))
        assert sample.gt_instances.bboxes.tolist() == [[0, 0, 16, 48]]


def test_identities_of_several_sets_are_told_apart(street):
    parts = [MOTChallengeDataset(street, sequences=[name]) for name in "AB"]
    crops = IdentityCropDataset(JointDataset(parts), CROPS)
    assert np.unique(crops.identities).tolist() == list(range(6))
    last = crops[-1]["data_samples"]
    assert last.gt_instances.instances_ids.tolist() == [5]
    assert last.video_name == "B"


def test_the_seed_sets_the_augmentation(street):
    shaky = [*PIPELINE[:2], {"type": "CropBox", "size": (16, 48), "shift": 0.2}, PIPELINE[2]]
    crops = IdentityCropDataset(MOTChallengeDataset(street), shaky)
    one, again, other = crops[3, 5]["inputs"], crops[3, 5]["inputs"], crops[3, 6]["inputs"]
    assert (one == again).all() and (one != other).any()


def test_people_seen_too_rarely_or_too_small_are_left_out(street):
    dataset = MOTChallengeDataset(street, frame_range=(1, 3))
    assert len(IdentityCropDataset(dataset, CROPS, min_crops=3)) == 18
    with pytest.raises(ValueError, match=r"no identity has 4 boxes of visibility >= 0\.3"):
        IdentityCropDataset(dataset, CROPS, min_crops=4)
    with pytest.raises(ValueError, match="height >= 49 px"):
        IdentityCropDataset(dataset, CROPS, min_height=49)


def test_crop_box_by_hand():
    image = np.zeros((40, 60, 3), np.uint8)
    image[10:20, 20:24] = 100
    image[10:20, 24:28] = 200
    results = {"img": image, "gt_bboxes": np.array([[20.0, 10, 28, 20]])}
    out = CropBox((8, 10)).transform(dict(results))["img"]
    np.testing.assert_array_equal(out[:, :4], 100)
    np.testing.assert_array_equal(out[:, 4:], 200)
    double = CropBox((8, 10), scale=(2.0, 2.0)).transform(dict(results))["img"]
    assert double[5, 3].tolist() == [100] * 3 and double[0, 0].tolist() == [0] * 3
    half_out = {"img": image + 50, "gt_bboxes": np.array([[-8.0, 0, 8, 40]])}
    out = CropBox((16, 40), pad_value=7).transform(half_out)["img"]
    assert out[20, 2, 0] == 7 and out[20, 13, 0] == 50


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"size": (0, 5)}, r"size must be \(width, height\)"),
        ({"scale": (1.2, 1.0)}, "0 < low <= high"),
    ],
)
def test_wrong_options(kwargs, message):
    with pytest.raises(ValueError, match=message):
        CropBox(**kwargs)


def test_crop_box_wants_one_box():
    results = {"img": np.zeros((4, 4, 3), np.uint8), "gt_bboxes": np.zeros((2, 4))}
    with pytest.raises(ValueError, match=r"CropBox cuts out one box .*, got 2"):
        CropBox().transform(results)


def test_groups_by_hand():
    identities = np.array([5, 9, 5, 9, 9, 5, 9, 9, 2])
    groups = identity_groups(identities, 2, 2, np.random.default_rng(0))
    assert identities[groups].tolist() == [[2, 2], [5, 5], [5, 5], [9, 9], [9, 9]]
    assert groups[0].tolist() == [8, 8]  # alone: twice itself
    assert set(groups[1:3].ravel()) == {0, 2, 5}
    assert len(set(groups[3:].ravel())) == 4  # of five, without repetition


class Crops:
    identities = np.repeat(np.arange(7), [1, 2, 3, 4, 9, 20, 5])

    def __len__(self):
        return len(self.identities)


def test_batches_hold_several_crops_a_person():
    sampler = IdentitySampler(Crops(), crops=4, groups=3, seed=1)
    first = [index for index, _ in sampler]
    assert len(first) == len(sampler) == 4 * (1 + 1 + 1 + 1 + 3 + 3 + 2)
    people = Crops.identities[first].reshape(-1, 4)
    assert (people == people[:, :1]).all()
    sampler.set_epoch(1)
    second = [index for index, _ in sampler]
    assert len(second) == len(first) and second != first
    sampler.skip(8)
    assert [index for index, _ in sampler] == second[8:]


def test_sampler_says_what_is_wrong():
    with pytest.raises(TypeError, match="expected a dataset with `identities`"):
        IdentitySampler([1, 2])
    with pytest.raises(ValueError, match="crops >= 2 and groups >= 1, got 1 and 4"):
        IdentitySampler(Crops(), crops=1)
