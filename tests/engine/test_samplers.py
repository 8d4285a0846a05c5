import numpy as np
import pytest

from mmdeepmot.engine.samplers import (
    FramePairSampler,
    ResumableSampler,
    SequenceSampler,
    assign_sequences,
    resumable,
    sample_seed,
    sequence,
)


class Items:
    def __init__(self, length, successors=None, sequence_ids=None):
        self.length = length
        if successors is not None:
            self.successors = np.asarray(successors)
        if sequence_ids is not None:
            self.sequence_ids = np.asarray(sequence_ids)

    def __len__(self):
        return self.length


def on_rank(monkeypatch, rank, world_size):
    for module in (resumable, sequence):
        monkeypatch.setattr(module, "get_dist_info", lambda: (rank, world_size))


def test_seed_depends_on_each_of_seed_epoch_and_index_and_on_nothing_else():
    values = {sample_seed(s, e, i) for s in range(3) for e in range(3) for i in range(50)}
    assert len(values) == 450
    assert sample_seed(1, 2, 3) == sample_seed(1, 2, 3)
    assert all(0 <= value < 2**32 for value in values)


def test_an_epoch_is_a_permutation_that_changes_with_epoch_and_seed():
    sampler = ResumableSampler(Items(100), seed=5)
    first = [index for index, _ in sampler]
    assert sorted(first) == list(range(100)) and first != sorted(first)
    assert [index for index, _ in sampler] == first
    sampler.set_epoch(1)
    assert [index for index, _ in sampler] != first
    assert [index for index, _ in ResumableSampler(Items(100), seed=6)] != first
    assert [i for i, _ in ResumableSampler(Items(4), shuffle=False, seed=0)] == [0, 1, 2, 3]


def test_skip_drops_the_first_samples_once():
    sampler = ResumableSampler(Items(7), seed=0)
    whole = list(sampler)
    sampler.skip(3)
    assert list(sampler) == whole[3:]
    assert list(sampler) == whole
    assert len(sampler) == 7
    sampler.skip(7)
    assert list(sampler) == []
    with pytest.raises(ValueError, match=r"expected 0 to 7 samples .* got 8.*EpochTrainLoop"):
        sampler.skip(8)


@pytest.mark.parametrize("round_up", [True, False])
def test_processes_share_an_epoch(monkeypatch, round_up):
    shares = []
    for rank in range(3):
        on_rank(monkeypatch, rank, 3)
        sampler = ResumableSampler(Items(10), seed=1, round_up=round_up)
        shares.append([index for index, _ in sampler])
        assert len(shares[-1]) == len(sampler)
    assert [len(share) for share in shares] == ([4, 4, 4] if round_up else [4, 3, 3])
    assert set().union(*shares) == set(range(10))


def test_empty_dataset_is_named():
    with pytest.raises(ValueError, match=r"Items.*has no items"):
        ResumableSampler(Items(0), seed=0)


# Two sequences, 0-1-2-3-4 and 5-6-7, stored out of order, and two single images 8 and 9.
SUCCESSORS = [1, 2, 3, 4, -1, 6, 7, -1, -1, -1]


@pytest.mark.parametrize("shuffle", [True, False])
def test_pairs_are_neighbours_and_each_item_comes_once(shuffle):
    sampler = FramePairSampler(Items(10, SUCCESSORS), shuffle=shuffle, seed=3)
    cuts = set()
    for epoch in range(8):
        sampler.set_epoch(epoch)
        indices = np.array([index for index, _ in sampler])
        assert sorted(indices) == list(range(10)) and len(sampler) == 10
        pairs = indices.reshape(-1, 2)
        neighbours = [pair for pair in pairs.tolist() if SUCCESSORS[pair[0]] == pair[1]]
        assert len(neighbours) == 3  # 2 of five frames, 1 of three; 4 items are left over
        cuts.add(tuple(sorted(map(tuple, neighbours))))
    assert len(cuts) == (4 if shuffle else 1)  # two phases of each of two sequences


def test_odd_number_of_items_repeats_one():
    sampler = FramePairSampler(Items(3, [1, 2, -1]), shuffle=False, seed=0)
    assert [index for index, _ in sampler] == [0, 1, 2, 2]
    assert len(sampler) == 4


def test_pairs_stay_on_one_process(monkeypatch):
    seen = []
    for rank in range(2):
        on_rank(monkeypatch, rank, 2)
        indices = [i for i, _ in FramePairSampler(Items(6, [1, -1, 3, -1, 5, -1]), seed=0)]
        assert len(indices) == 4
        assert all(
            b == a + 1 and a % 2 == 0 for a, b in zip(indices[::2], indices[1::2], strict=True)
        )
        seen += indices
    assert set(seen) == set(range(6))


def test_pair_sampler_refuses_what_it_cannot_order():
    with pytest.raises(TypeError, match=r"expected a dataset with `successors`.*got Items"):
        FramePairSampler(Items(3), seed=0)
    with pytest.raises(ValueError, match="two items name the same next frame"):
        FramePairSampler(Items(3, [2, 2, -1]), seed=0)
    with pytest.raises(ValueError, match="2 items form a ring"):
        FramePairSampler(Items(3, [1, 0, -1]), seed=0)


def test_sequences_are_whole_in_order_and_balanced(monkeypatch):
    lengths = [5, 9, 2, 4, 4]
    ids = np.repeat(np.arange(5), lengths)
    shares = []
    for rank in range(2):
        on_rank(monkeypatch, rank, 2)
        sampler = SequenceSampler(Items(24, sequence_ids=ids), seed=1)
        shares.append(list(sampler))
        assert len(sampler) == len(shares[-1])
        assert shares[-1] == sorted(shares[-1])
    assert sorted(shares[0] + shares[1]) == list(range(24))
    assert not set(ids[shares[0]]) & set(ids[shares[1]])
    assert sorted(map(len, shares)) == [11, 13]  # 9 + 4 (or 9 + 2) against the rest


def test_sequences_that_are_interleaved_come_one_after_the_other():
    sampler = SequenceSampler(Items(5, sequence_ids=[1, 0, 1, 0, 1]))
    assert list(sampler) == [1, 3, 0, 2, 4]


def test_photographs_are_divided_one_by_one(monkeypatch):
    """A heap of 8 photographs and a video of 3 frames, in whatever order."""
    items = Items(11, sequence_ids=[0] * 4 + [1] * 3 + [0] * 4)
    items.photographs = np.array([True] * 4 + [False] * 3 + [True] * 4)
    shares = []
    for rank in range(2):
        on_rank(monkeypatch, rank, 2)
        shares.append(list(SequenceSampler(items)))
    assert sorted(shares[0] + shares[1]) == list(range(11))
    assert sorted(map(len, shares)) == [5, 6]
    assert {4, 5, 6} <= set(shares[0]) or {4, 5, 6} <= set(shares[1])
    on_rank(monkeypatch, 0, 1)
    assert list(SequenceSampler(items)) == [0, 1, 2, 3, 7, 8, 9, 10, 4, 5, 6]


def test_more_processes_than_sequences(monkeypatch):
    assert assign_sequences(np.array([3, 1]), 4).tolist() == [0, 1]
    on_rank(monkeypatch, 3, 4)
    sampler = SequenceSampler(Items(2, sequence_ids=[0, 1]))
    assert list(sampler) == [] and len(sampler) == 0


def test_sequence_sampler_refuses_incomplete_ids():
    with pytest.raises(TypeError, match=r"expected a dataset with `sequence_ids`.*got Items"):
        SequenceSampler(Items(3))
    with pytest.raises(ValueError, match=r"expected 3 sequence_ids.*\(2,\)"):
        SequenceSampler(Items(3, sequence_ids=[0, 0]))
