"""Batches of alike size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdeepmot.engine.samplers import (
    ResumableSampler,
    SizeBatchSampler,
    cut_batches,
    size_batches,
    size_order,
)
from mmdeepmot.engine.samplers import resumable as resumable_module
from mmdeepmot.errors import InputError


class Sized:
    def __init__(self, shapes):
        self.shapes = np.asarray(shapes)

    def __len__(self):
        return len(self.shapes)


def dataset(count=400, seed=0, largest=60):
    rng = np.random.default_rng(seed)
    return Sized(np.exp(rng.uniform(0, np.log(largest), (count, 2))).round().astype(int))


def make(data, batch_size=16, shuffle=True, round_up=True, seed=0, **options):
    sampler = ResumableSampler(data, shuffle=shuffle, seed=seed, round_up=round_up)
    return SizeBatchSampler(sampler, batch_size, **options)


def padded(data, batch):
    return data.shapes[[index for index, _ in batch]].max(axis=0).prod() * len(batch)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=80),
    st.integers(1, 10),
    st.integers(1, 3000),
    st.floats(0, 0.9),
)
def test_limits_hold(shapes, batch_size, max_entries, max_padding):
    data = Sized(shapes)
    sampler = make(
        data, batch_size, shuffle=False, max_entries=max_entries, max_padding=max_padding
    )
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert sorted(index for batch in batches for index, _ in batch) == list(range(len(data)))
    for batch in batches:
        area = data.shapes[[index for index, _ in batch]].prod(axis=1).sum()
        assert len(batch) <= batch_size
        if len(batch) > 1:
            assert padded(data, batch) <= max_entries
            assert padded(data, batch) - area <= max_padding * padded(data, batch) + 1e-9


def test_little_padding():
    data = dataset(4000)
    batches = list(make(data, 32, max_entries=10**6))
    area = data.shapes.prod(axis=1).sum()
    assert area / sum(padded(data, batch) for batch in batches) > 0.75
    # in random order it would be far less
    random = [[(i, 0) for i in range(at, at + 32)] for at in range(0, 4000, 32)]
    assert area / sum(padded(data, batch) for batch in random) < 0.3


def test_cuts_by_hand():
    shapes = np.array([[2, 2], [2, 3], [2, 3], [5, 5], [5, 5]])
    assert cut_batches(shapes, 10, None, 0.9).tolist() == [0, 5]
    assert cut_batches(shapes, 2, None, 0.9).tolist() == [0, 2, 4, 5]
    assert cut_batches(shapes, 10, 30, 0.9).tolist() == [0, 3, 4, 5]
    assert cut_batches(shapes, 10, None, 0.2).tolist() == [0, 3, 5]  # 2 of 18 are padding
    assert cut_batches(shapes, 10, None, 0.1).tolist() == [0, 1, 3, 5]
    assert size_order(np.array([[9, 1], [1, 9], [1, 1]])).tolist() == [2, 1, 0]


def test_every_epoch_has_all_items_and_as_many_batches():
    data = Sized(np.repeat(dataset(40).shapes, 10, axis=0))
    sampler = make(data, max_entries=2000)
    epochs = []
    for epoch in range(3):
        sampler.sampler.set_epoch(epoch)
        epochs.append(list(sampler))
        assert epochs[-1] == list(sampler)
        assert len(epochs[-1]) == len(sampler)
        items = sorted(index for batch in epochs[-1] for index, _ in batch)
        assert items == list(range(400))
    sets = [{frozenset(index for index, _ in batch) for batch in epoch} for epoch in epochs]
    assert sets[0] != sets[1] != sets[2]  # items of one size change their company
    seeds = [dict(pair for batch in epoch for pair in batch) for epoch in epochs]
    assert all(seeds[0][index] != seeds[1][index] for index in range(400))
    assert list(make(data, max_entries=2000, seed=1)) != epochs[0]


def test_skip_drops_the_first_batches_once():
    sampler = make(dataset(), grow_iters=30, grow_from=4)
    whole = list(sampler)
    sampler.skip(3)
    assert list(sampler) == whole[3:]
    assert list(sampler) == whole
    with pytest.raises(ValueError, match=rf"expected 0 to {len(whole)} batches"):
        sampler.skip(len(whole) + 1)


@pytest.mark.parametrize("round_up", [True, False])
def test_processes_share_an_epoch(monkeypatch, round_up):
    shares, data = [], dataset()
    for rank in range(3):
        for module in (size_batches, resumable_module):
            monkeypatch.setattr(module, "get_dist_info", lambda rank=rank: (rank, 3))
        shares.append(make(data, 7, round_up=round_up, shuffle=round_up))
        assert len(list(shares[-1])) == len(shares[-1])
    lengths = {len(share) for share in shares}
    assert len(lengths) == 1 if round_up else max(lengths) - min(lengths) <= 1
    items = [index for share in shares for batch in share for index, _ in batch]
    assert set(items) == set(range(400))
    if not round_up:
        assert len(items) == 400


def test_sizes_grow():
    data = dataset(2000, largest=60)
    sampler = make(data, 16, grow_from=5, grow_iters=150)
    per_epoch = len(sampler)
    assert per_epoch > 100
    sides = []
    for epoch in range(3):
        sampler.sampler.set_epoch(epoch)
        sides += [max(data.shapes[i].max() for i, _ in batch) for batch in sampler]
    iterations = np.arange(len(sides))
    limit = np.floor(5 * (60 / 5) ** np.minimum(iterations / 150, 1) + 1e-9)
    assert (np.array(sides) <= limit).all()
    assert max(sides[:30]) <= 8 < 40 < max(sides[150:])
    assert len(sides) == 3 * per_epoch
    last = {i for batch in sampler for i, _ in batch}
    assert last == set(range(2000))  # grown: every item again
    # items come several times meanwhile, never with the same random numbers
    sampler.sampler.set_epoch(0)
    pairs = [pair for batch in sampler for pair in batch]
    assert len(set(pairs)) == len(pairs) > len({index for index, _ in pairs})


def test_even_the_smallest_may_be_above_the_first_limit():
    data = Sized([[20, 20]] * 10 + [[50, 50]] * 10)
    batches = list(make(data, 2, grow_from=3, grow_iters=100))
    assert {data.shapes[index].max() for batch in batches for index, _ in batch} == {20}


def test_errors():
    with pytest.raises(InputError, match=r"dataset with `shapes`.*ResumableSampler over Bare"):
        SizeBatchSampler(ResumableSampler(type("Bare", (), {"__len__": lambda s: 3})()), 2)
    with pytest.raises(InputError, match="got list over NoneType"):
        SizeBatchSampler([1, 2], 2)
    for options in ({"batch_size": 0}, {"max_padding": 1.0}, {"grow_from": 0}, {"grow_iters": -1}):
        with pytest.raises(InputError, match="expected batch_size >= 1, max_padding in"):
            make(dataset(), **options)
    with pytest.raises(InputError, match="drop_last"):
        make(dataset(), drop_last=True)
