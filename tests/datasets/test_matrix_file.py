"""Files of distance matrices, and the dataset that reads them."""

import numpy as np
import pytest

from mmdeepmot.association.optimal import optimal_assignment
from mmdeepmot.datasets import MatrixFileDataset
from mmdeepmot.datasets.matrices import (
    FORBIDDEN,
    MatrixSet,
    pack_matrices,
    read_matrices,
    write_matrices,
)
from mmdeepmot.errors import InputError

SHAPES = [(2, 3), (1, 1), (0, 4), (3, 2), (5, 0)]


@pytest.fixture
def matrices():
    rng = np.random.default_rng(0)
    distances = [rng.random(shape, dtype=np.float32) for shape in SHAPES]
    distances[3][0] = np.inf
    return distances, [optimal_assignment(one) for one in distances]


@pytest.fixture
def path(matrices, tmp_path):
    packed = pack_matrices(*matrices, source=[0, 0, 1, 1, 0], sources=["MOT15", "Street"])
    write_matrices(tmp_path / "m.npz", packed)
    return tmp_path / "m.npz"


def test_round_trip(matrices, path):
    read = read_matrices(path)
    assert len(read) == 5 and read.sources == ("MOT15", "Street")
    assert [read.source_name(at) for at in range(5)] == [
        "MOT15", "MOT15", "Street", "Street", "MOT15",
    ]  # fmt: skip
    for at, (distances, optimal) in enumerate(zip(*matrices, strict=True)):
        assert read.distances(at).dtype == np.float32
        expected = np.where(distances > 1, FORBIDDEN, distances)
        assert read.distances(at) == pytest.approx(expected, abs=3e-4)
        assert np.array_equal(read.optimal(at), optimal)
    with np.load(path, allow_pickle=False) as file:  # the layout of the published set
        assert file["shapes"].dtype == file["assignments"].dtype == np.int16
        assert file["distances"].dtype == np.float16 and file["distances"].shape == (13,)
    assert [one.name for one in path.parent.iterdir()] == ["m.npz"]


def test_dataset_chooses_by_source_and_limit(path):
    dataset = MatrixFileDataset(path, sources=["Street"])
    assert dataset.shapes.tolist() == [[0, 4], [3, 2]]
    assert dataset[1]["source"] == "Street" and dataset[-1]["inputs"].shape == (3, 2)
    assert MatrixFileDataset(path, limit=2).shapes.tolist() == [[2, 3], [0, 4]]
    with pytest.raises(InputError, match="no source 'MOT16', it has MOT15, Street; did you"):
        MatrixFileDataset(path, sources=["MOT16"])
    with pytest.raises(IndexError):
        dataset[2]


def test_permuted_items_follow_their_seed(path):
    plain, permuted = MatrixFileDataset(path), MatrixFileDataset(path, permute=True)
    first = [permuted[(0, seed)] for seed in range(20)]
    for item in first:
        distances, optimal = item["inputs"].numpy(), item["data_samples"].numpy()
        assert np.array_equal(np.sort(distances.ravel()), np.sort(plain[0]["inputs"].ravel()))
        assert np.array_equal(optimal_assignment(distances), optimal)
    assert len({tuple(item["inputs"].ravel().tolist()) for item in first}) > 3
    assert permuted[(0, 7)]["inputs"].equal(first[7]["inputs"])
    assert permuted[0]["inputs"].equal(permuted[0]["inputs"])


def test_missing_file_is_named_or_left_out(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.npz .*make_dhn_matrices"):
        MatrixFileDataset(tmp_path / "none.npz")
    assert len(MatrixFileDataset(tmp_path / "none.npz", optional=True)) == 0


def arrays(**changes):
    good = dict(
        shapes=np.array([[1, 2]]), distances=np.zeros(2), assignments=np.array([1]),
        source=np.array([0]),
    )  # fmt: skip
    return {key: value for key, value in {**good, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (arrays(source=None), "expected the arrays shapes, .*, got shapes, distances, assignments"),
        (arrays(shapes=np.array([1, 2])), r"expected shapes \(K, 2\) of integers"),
        (arrays(shapes=np.array([[-1, 2]])), "sizes of at least 0, got -1"),
        (arrays(distances=np.zeros(3)), r"distances of shape \(2,\), floats.*got \(3,\)"),
        (arrays(distances=np.array([0, np.nan])), "distance 1 is NaN"),
        (arrays(assignments=np.array([2])), "from -1 to 1 .* in row 0, got 2"),
        (arrays(assignments=np.array([0.5])), "assignments of shape .*, integers"),
        (arrays(source=np.array([3])), r"sources from 0 to 2 \(MOT15, MOT16, MOT17\), got 3"),
        (arrays(shapes=np.array([None, 2], dtype=object)), "expected an .npz"),
    ],
)
def test_bad_files(tmp_path, content, message):
    np.savez(tmp_path / "bad.npz", **content)
    with pytest.raises(InputError, match=rf"bad\.npz: .*{message}"):
        read_matrices(tmp_path / "bad.npz")


def test_no_npz_at_all(tmp_path):
    (tmp_path / "text.npz").write_text("1,2,3")
    with pytest.raises(InputError, match=r"text\.npz: expected an \.npz"):
        read_matrices(tmp_path / "text.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(InputError, match=r"one\.npy: expected an \.npz"):
        read_matrices(tmp_path / "one.npy")


def test_published_matrices(shared_data):
    file = read_matrices(shared_data / "dhn" / "mot_matrices_train.npz")
    assert isinstance(file, MatrixSet) and len(file) == 21095
    assert np.bincount(file.source).tolist() == [3760, 3515, 13820]
    for at in range(0, len(file), 500):
        distances, optimal = file.distances(at), file.optimal(at)
        best = optimal_assignment(distances)
        assert optimal.sum() == best.sum()
        assert distances[optimal].sum() == pytest.approx(distances[best].sum(), abs=1e-3)


def test_a_folder_of_files_is_one_set(matrices, path):
    distances, optimal = matrices
    write_matrices(path.with_name("n.npz"), pack_matrices(distances[:2], optimal[:2], [1, 0],
                                                          ["Square", "Street"]))  # fmt: skip
    read = read_matrices(path.parent)
    assert len(read) == 7 and read.sources == ("MOT15", "Street", "Square")
    assert [read.source_name(at) for at in (0, 2, 5, 6)] == ["MOT15", "Street", "Street", "Square"]
    assert np.array_equal(read.distances(5), read.distances(0))
    assert np.array_equal(read.optimal(3), optimal[3])
    assert len(MatrixFileDataset(path.parent, sources=["Street"])) == 3
    (path.parent / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"empty .*expected distance matrices"):
        read_matrices(path.parent / "empty")
