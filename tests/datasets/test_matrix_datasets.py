"""Generated distance matrices: distances by hand, properties of every source, mixing, batches."""

import numpy as np
import pytest
import torch

from mmdeepmot.association.optimal import optimal_assignment
from mmdeepmot.datasets import CrowdMatrices, MixedMatrices, RandomMatrices
from mmdeepmot.datasets.matrices import (
    FORBIDDEN,
    distance_matrix,
    forbid,
    gate_threshold,
    pack_matrices,
    pad_matrices,
    write_matrices,
)
from mmdeepmot.datasets.matrices.crowd import simulate_scene
from mmdeepmot.errors import InputError

SIZE = (300.0, 400.0)  # diagonal 500 px


def test_distances_by_hand():
    tracks = np.array([[0.0, 0, 20, 40]])
    objects = np.array([[0.0, 0, 20, 40], [10, 0, 30, 40], [30, 40, 50, 80]])
    # IoU 1, 1/3, 0; centres 0, 10 and 50 px apart: 0, 0.02, 0.1 of the diagonal.
    paper = distance_matrix(tracks, objects, SIZE)
    assert paper[0] == pytest.approx([0, (0.02 + 2 / 3) / 2, (0.1 + 1) / 2])
    code = distance_matrix(tracks, objects, SIZE, "exponential")
    assert code[0] == pytest.approx([0, (1 - np.exp(-0.1) + 2 / 3) / 2, (1 - np.exp(-0.5) + 1) / 2])
    centre = distance_matrix(tracks, objects, SIZE, "centre")
    assert centre[0] == pytest.approx([0, 1 / 30, np.hypot(0.1, 0.1)])
    for kind in ("diagonal", "exponential", "centre"):
        assert distance_matrix(np.zeros((0, 4)), objects, SIZE, kind).shape == (0, 3)
    with pytest.raises(InputError, match=r"distance must be one of .*, got 'iou'"):
        distance_matrix(tracks, objects, SIZE, "iou")
    with pytest.raises(InputError, match="positive image size"):
        distance_matrix(tracks, objects, (0, 3))


def test_distances_are_those_of_the_loss():
    from mmdeepmot.models.losses import box_distance

    rng = np.random.default_rng(0)
    tracks, objects = (
        np.concatenate([corner, corner + rng.uniform(5, 90, (n, 2))], axis=1)
        for n, corner in ((n, rng.uniform(0, 250, (n, 2))) for n in (5, 7))
    )
    for kind in ("diagonal", "exponential"):
        expected = box_distance(torch.from_numpy(tracks), torch.from_numpy(objects), SIZE, kind)
        assert distance_matrix(tracks, objects, SIZE, kind) == pytest.approx(expected.numpy())


def test_gates():
    rng = np.random.default_rng(0)
    distances = np.array([[0.2, 0.5, 0.51, 1.2]])
    assert forbid(distances, gate_threshold("none", rng))[0].tolist() == pytest.approx(
        [0.2, 0.5, 0.51, FORBIDDEN]
    )
    assert (forbid(distances, gate_threshold("half", rng)) == FORBIDDEN).tolist() == [
        [False, False, True, True]
    ]
    drawn = [gate_threshold("random", rng) for _ in range(200)]
    assert 0 <= min(drawn) < 0.05 and 0.95 < max(drawn) < 1
    with pytest.raises(InputError, match="gate must be one of"):
        gate_threshold("all", rng)


@pytest.mark.parametrize(("tracks", "objects"), [(1, 1), (0, 5), (5, 0), (0, 0), (40, 3), (7, 90)])
def test_scenes_have_the_boxes_asked_for(tracks, objects):
    for seed in range(20):
        scene = simulate_scene(np.random.default_rng(seed), tracks, objects)
        assert scene.tracks.shape == (tracks, 4) and scene.objects.shape == (objects, 4)
        for boxes in (scene.tracks, scene.objects):
            assert np.isfinite(boxes).all()
            assert (boxes[:, 2:] > boxes[:, :2]).all()


SOURCES = {
    "crowd": lambda **options: CrowdMatrices(60, **{"max_side": 30, **options}),
    "random": lambda **options: RandomMatrices(60, **{"max_side": 30, **options}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_items_are_optimal_and_follow_their_seeds(name):
    dataset = SOURCES[name]()
    again, other = SOURCES[name](), SOURCES[name](seed=1)
    assert np.array_equal(dataset.shapes, again.shapes)
    assert not np.array_equal(dataset.shapes, other.shapes)
    for at in range(0, 60, 3):
        item = dataset[at]
        distances = item["inputs"].numpy()
        assert item["source"] == name and distances.dtype == np.float32
        assert distances.shape == tuple(dataset.shapes[at])
        assert ((distances >= 0) & (distances <= 1) | (distances == FORBIDDEN)).all()
        assert np.array_equal(item["data_samples"].numpy(), optimal_assignment(distances))
        assert item["inputs"].equal(again[at]["inputs"])
        seeded = dataset[(at, 5)]["inputs"]
        assert seeded.shape == item["inputs"].shape
        assert seeded.equal(again[(at, 5)]["inputs"]) and not seeded.equal(item["inputs"])
    assert dataset[-1]["inputs"].equal(dataset[59]["inputs"])


def test_sizes():
    shapes = CrowdMatrices(4000).shapes
    assert shapes.min() == 1 and shapes.max() == 110
    assert np.median(np.sort(shapes, axis=1), axis=0) == pytest.approx([10, 18], abs=3)
    assert 0.15 < (shapes[:, 0] > shapes[:, 1]).mean() < 0.3
    shapes = RandomMatrices(4000).shapes
    assert shapes.min() == 2 and shapes.max() == 300
    assert 0.45 < (shapes[:, 0] == shapes[:, 1]).mean() < 0.55
    assert set(RandomMatrices(200, min_side=2, max_side=4).shapes.ravel()) == {2, 3, 4}


def test_choices_and_their_errors():
    dataset = CrowdMatrices(200, distances={"centre": 1}, gates={"none": 1})
    whole = [dataset[at]["inputs"] for at in range(200)]
    assert np.mean([(one == FORBIDDEN).float().mean() for one in whole]) < 0.01
    gated = RandomMatrices(50, gates={"half": 1.0})[3]["inputs"]
    assert gated[gated < FORBIDDEN].max() <= 0.5
    for options, message in (
        ({"gates": {"some": 1}}, "gates: expected some of"),
        ({"distances": {"centre": 0}}, "distances: .* at least is above 0, got"),
        ({"length": 0}, "length and sides of at least 1, got 0"),
    ):
        with pytest.raises(InputError, match=message):
            CrowdMatrices(**{"length": 5, **options})
    with pytest.raises(InputError, match="max_side >= min_side = 4, got 3"):
        RandomMatrices(5, min_side=4, max_side=3)


def test_statistics_are_close_to_those_of_real_matrices(shared_data):
    """Medians of what matters to a matcher, where crowds measure distances as the real set does."""
    from mmdeepmot.datasets import MatrixFileDataset

    def summary(dataset):
        values = []
        for at in range(len(dataset)):
            distances, optimal, _ = dataset.matrix(at, None)
            pairs, others = distances[optimal], distances[~optimal & (distances <= 1)]
            if len(pairs) and len(others):
                count = len(pairs) / min(distances.shape)
                values.append([np.median(pairs), np.median(others), count, *distances.shape])
        return np.median(values, axis=0), np.mean(np.array(values)[:, 2])

    file = shared_data / "dhn" / "mot_matrices_train.npz"
    real, real_share = summary(MatrixFileDataset(file, limit=1000))
    made, made_share = summary(CrowdMatrices(1000, distances={"centre": 1}))
    assert made == pytest.approx(real, rel=0.6)
    assert made_share == pytest.approx(real_share, abs=0.05)


# ------------------------------------------------------------------------------------- mixtures


def test_mixture_by_weight():
    crowd, random = CrowdMatrices(50), RandomMatrices(30, max_side=9)
    mixed = MixedMatrices([crowd, random], weights=[3, 1], length=1000, seed=4)
    sources = [mixed.matrix(at, 0)[2] for at in range(0, 1000, 5)]
    assert 0.65 < sources.count("crowd") / 200 < 0.85
    assert all(mixed[at]["inputs"].shape == tuple(mixed.shapes[at]) for at in range(40))
    used = [at for at in range(1000) if mixed._which[at] == 1]
    assert mixed[used[0]]["inputs"].equal(mixed[used[30]]["inputs"])  # again from the beginning
    assert not mixed[(used[0], 1)]["inputs"].equal(mixed[(used[30], 2)]["inputs"])


def test_all_items_of_all_and_files_by_their_paths(tmp_path):
    crowd = dict(type="CrowdMatrices", length=3)
    distances = np.array([[0.1, 0.2]])
    write_matrices(tmp_path / "m.npz", pack_matrices([distances], [optimal_assignment(distances)]))
    mixed = MixedMatrices([crowd, str(tmp_path / "m.npz")])
    assert len(mixed) == 4 and mixed[3]["data_samples"].tolist() == [[True, False]]
    missing = dict(type="MatrixFileDataset", path=str(tmp_path / "no.npz"), optional=True)
    mixed = MixedMatrices([missing, crowd], weights=[5, 1], length=7)
    assert len(mixed) == 7 and mixed[6]["source"] == "crowd"
    for arguments, message in (
        (([missing],), "no items in 1 datasets"),
        (([crowd], [1.0]), "weights for 1 datasets and a length, or neither"),
        (([crowd], [1.0, 2.0], 5), "weights for 1 datasets"),
        (([crowd, missing], [0.0, 1.0], 5), "expected weights above 0"),
    ):
        with pytest.raises(InputError, match=message):
            MixedMatrices(*arguments)


def test_batches_are_padded_and_masked():
    items = [
        {"inputs": torch.full(s, 0.3), "data_samples": torch.ones(s) > 0, "source": n}
        for s, n in (((2, 3), "a"), ((0, 1), "b"), ((1, 4), "a"))
    ]
    batch = pad_matrices(items)
    known = batch["data_samples"]
    assert batch["inputs"].shape == known.optimal.shape == (3, 2, 4)
    assert known.row_mask.tolist() == [[True, True], [False, False], [True, False]]
    assert known.col_mask.sum(1).tolist() == [3, 1, 4] and known.sources == ("a", "b", "a")
    assert known.valid.sum((1, 2)).tolist() == [6, 0, 4]
    assert torch.equal(batch["inputs"] == FORBIDDEN, ~known.valid)
    assert torch.equal(known.optimal, known.valid)
