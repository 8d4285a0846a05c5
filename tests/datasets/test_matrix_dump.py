"""Distance matrices written while something runs."""

import numpy as np
import pytest

from mmdeepmot.association.optimal import optimal_assignment
from mmdeepmot.datasets.matrices import FORBIDDEN, read_matrices
from mmdeepmot.datasets.matrices.dump import MatrixDump
from mmdeepmot.errors import InputError


def matrices(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.random(rng.integers(1, 5, 2)) for _ in range(count)]


def files(folder) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_shards_of_bounded_size_and_number(tmp_path):
    dump = MatrixDump(tmp_path / "out", "rank0", "street", shard=3, shards=2)
    given = matrices(8)
    given[1][0] = np.inf
    for at, matrix in enumerate(given):
        assert dump.full == (at > 5)
        dump.add(matrix)
    dump.add(np.zeros((0, 3)))
    dump.flush()
    assert files(tmp_path / "out") == ["rank0_0000.npz", "rank0_0001.npz"]
    read = read_matrices(tmp_path / "out")
    assert len(read) == 6 and read.sources == ("street",)
    for at in range(6):
        expected = np.where(np.isinf(given[at]), FORBIDDEN, given[at])
        np.testing.assert_allclose(read.distances(at), expected, atol=1e-3, rtol=1e-3)
        assert np.array_equal(read.optimal(at), optimal_assignment(read.distances(at)))


def test_what_is_left_is_written_and_a_later_run_goes_on(tmp_path):
    first = MatrixDump(tmp_path, "rank0", "street", shard=3, shards=2)
    first.flush()
    assert files(tmp_path) == []
    first.add(matrices(1)[0])
    first.flush()
    second = MatrixDump(tmp_path, "rank0", "street", shard=3, shards=2)
    assert not second.full
    for matrix in matrices(4):
        second.add(matrix)
    assert second.full and files(tmp_path) == ["rank0_0000.npz", "rank0_0001.npz"]
    assert [len(read_matrices(tmp_path / name)) for name in files(tmp_path)] == [1, 3]
    assert not MatrixDump(tmp_path, "rank1", "street").full


def test_bad_numbers(tmp_path):
    with pytest.raises(InputError, match="shard and shards above 0, got 0, 20"):
        MatrixDump(tmp_path, "rank0", "street", shard=0)
