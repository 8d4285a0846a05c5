"""The struct of arrays: packing, selection, successors, and its cache on disk."""

import os
from pathlib import Path

import numpy as np
import pytest

from mmdeepmot.datasets import index_cache
from mmdeepmot.datasets.index import (
    AnnotationIndex,
    Boxes,
    PackedStrings,
    PublicDetections,
    SequenceRecord,
    contiguous_identities,
    ragged_rows,
)


def make_index(*, detections: bool = False) -> AnnotationIndex:
    """Two sequences, frames 1, 2, 4 and 1, 2; boxes 2, 0, 1 and 1, 1."""
    frames = np.array([4, 0, 3, 0, 2])
    boxes = Boxes.of_frames(
        frames,
        5,
        np.array([[40, 0, 50, 9], [0, 0, 10, 9], [30, 0, 40, 9], [1, 0, 11, 9], [20, 0, 30, 9]]),
        np.array([12, 7, 12, 3, 7]),
        np.array([False, False, False, True, False]),
        np.array([0.4, 0, 0.3, 0.1, 0.2]),
    )
    public = None
    if detections:
        public = PublicDetections(
            np.array([0, 1, 1, 1, 3, 3]),
            np.array([[1, 1, 2, 2], [2, 2, 3, 3], [3, 3, 4, 4]], dtype=np.float32),
            np.array([0.1, -5, 70], dtype=np.float32),
            np.array([0, 1, 0]),
        )
    return AnnotationIndex(
        sequences=[SequenceRecord("A", 14), SequenceRecord("B", 25)],
        frame_sequences=np.array([0, 0, 0, 1, 1], dtype=np.int32),
        frame_numbers=np.array([1, 2, 4, 1, 2]),
        paths=PackedStrings.pack([f"{n}.png" for n in range(5)]),
        sizes=np.full((5, 2), 50, dtype=np.int32),
        boxes=boxes,
        detections=public,
    )


class TestPackedStrings:
    def test_strings_come_back(self) -> None:
        words = ["a/b.png", "", "größe", "\udcff raw"]
        packed = PackedStrings.pack(words)
        assert [packed[row] for row in range(4)] == words
        assert packed[-1] == words[-1]
        assert len(packed) == 4

    def test_take(self) -> None:
        packed = PackedStrings.pack(["one", "two", "three"]).take(np.array([2, 0]))
        assert [packed[0], packed[1]] == ["three", "one"]

    def test_out_of_range(self) -> None:
        with pytest.raises(IndexError, match="string 1 of 1"):
            PackedStrings.pack(["a"])[1]


def test_ragged_rows() -> None:
    rows, offsets = ragged_rows(np.array([0, 2, 2, 5]), np.array([2, 1, 0]))
    assert rows.tolist() == [2, 3, 4, 0, 1]
    assert offsets.tolist() == [0, 3, 3, 5]


def test_contiguous_identities() -> None:
    assert contiguous_identities(np.array([7, -1, 3, 7, -5, 100])).tolist() == [1, -1, 0, 1, -1, 2]
    assert contiguous_identities(np.zeros(0, dtype=np.int64)).tolist() == []


class TestBoxes:
    def test_boxes_of_frames_in_any_order(self) -> None:
        index = make_index()
        assert index.boxes.offsets.tolist() == [0, 2, 2, 3, 4, 5]
        assert index.boxes.bboxes[:, 0].tolist() == [0, 1, 20, 30, 40]
        # 3 belongs to an ignored box only: it is no identity. 7 -> 0, 12 -> 1.
        assert index.boxes.identities.tolist() == [0, -1, 0, 1, 1]
        assert index.boxes.ignore.tolist() == [False, True, False, False, False]
        assert index.num_identities == 2
        assert index.rows(0) == slice(0, 2)
        assert index.rows(1) == slice(2, 2)

    def test_wrong_lengths(self) -> None:
        with pytest.raises(ValueError, match=r"Boxes\.bboxes must have shape \(3, 4\)"):
            Boxes(np.array([0, 3]), *(np.zeros((2, 4)), *[np.zeros(2)] * 4))
        with pytest.raises(ValueError, match=r"Boxes\.ignore has 1 rows where bboxes has 2"):
            two = np.zeros(2)
            Boxes(np.array([0, 2]), np.zeros((2, 4)), two, two, np.zeros(1), two)


class TestIndex:
    def test_successors_respect_sequences_and_gaps(self) -> None:
        index = make_index()
        assert index.successors().tolist() == [1, -1, -1, 4, -1]
        assert index.successors(max_gap=2).tolist() == [1, 2, -1, 4, -1]
        assert index.successors(max_gap=None).tolist() == [1, 2, -1, 4, -1]

    def test_photographs_have_no_successors(self) -> None:
        index = make_index()
        index.sequences = [SequenceRecord("A", is_video=False), SequenceRecord("B")]
        assert index.successors().tolist() == [-1, -1, -1, 4, -1]

    def test_select(self) -> None:
        part = make_index(detections=True).select(np.array([False, False, False, True, True]))
        assert [sequence.name for sequence in part.sequences] == ["B"]
        assert part.frame_sequences.tolist() == [0, 0]
        assert part.boxes.identities.tolist() == [0, 0]  # contiguous again
        assert part.num_identities == 1
        assert part.paths[1] == "4.png"
        assert part.detection_rows(0) == slice(0, 2)
        assert part.detections is not None
        assert part.detections.scores.tolist() == [-5, 70]

    def test_no_detections(self) -> None:
        with pytest.raises(ValueError, match="no public detections: ask for them"):
            make_index().detection_rows(0)

    def test_wrong_lengths(self) -> None:
        index = make_index()
        with pytest.raises(ValueError, match=r"AnnotationIndex\.paths has 4 rows where .* has 5"):
            AnnotationIndex(
                index.sequences,
                index.frame_sequences,
                index.frame_numbers,
                PackedStrings.pack("abcd"),
                index.sizes,
                index.boxes,
            )

    def test_scattered_sequences(self) -> None:
        index = make_index()
        with pytest.raises(ValueError, match="frames of a sequence to lie together"):
            AnnotationIndex(
                index.sequences,
                index.frame_sequences[::-1],
                index.frame_numbers,
                index.paths,
                index.sizes,
                index.boxes,
            )


class TestCache:
    def test_round_trip(self, tmp_path: Path) -> None:
        index = make_index()
        index_cache.save_index(tmp_path / "a.npz", index)
        back = index_cache.load_index(tmp_path / "a.npz")
        assert back is not None
        assert back.sequences == index.sequences
        assert [back.paths[row] for row in range(5)] == [f"{n}.png" for n in range(5)]
        for name in ("frame_sequences", "frame_numbers", "sizes"):
            assert np.array_equal(getattr(back, name), getattr(index, name))
        for name in ("offsets", "bboxes", "labels", "identities", "ignore", "visibility"):
            ours, theirs = getattr(back.boxes, name), getattr(index.boxes, name)
            assert ours.dtype == theirs.dtype
            assert np.array_equal(ours, theirs)
        assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]

    def test_stale_when_a_folder_changes(self, tmp_path: Path) -> None:
        folder = tmp_path / "labels"
        folder.mkdir()
        index_cache.save_index(tmp_path / "a.npz", make_index(), [str(folder)])
        assert index_cache.load_index(tmp_path / "a.npz") is not None
        os.utime(folder, ns=(1, 1))
        assert index_cache.load_index(tmp_path / "a.npz") is None

    def test_damaged_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 nothing")
        with pytest.raises(ValueError, match=r"a\.npz: expected an annotation index of version 2"):
            index_cache.load_index(tmp_path / "a.npz")

    def test_nothing_is_unpickled(self, tmp_path: Path) -> None:
        trap = np.array([Trap(tmp_path / "sprung")], dtype=object)
        np.savez(tmp_path / "a.npz", version=trap, allow_pickle=True)
        with pytest.raises(ValueError, match="expected an annotation index"):
            index_cache.load_index(tmp_path / "a.npz")
        assert not (tmp_path / "sprung").exists()

    def test_built_once_and_again_after_damage(self, tmp_path: Path) -> None:
        built = []

        def build() -> tuple[AnnotationIndex, list[str]]:
            built.append(1)
            return make_index(), []

        for _ in range(2):
            index_cache.cached_index("x", ["key"], build, cache_dir=tmp_path)
        assert len(built) == 1
        index_cache.cached_index("x", ["another key"], build, cache_dir=tmp_path)
        assert len(built) == 2
        for path in tmp_path.iterdir():
            path.write_bytes(b"broken")
        index_cache.cached_index("x", ["key"], build, cache_dir=tmp_path)
        assert len(built) == 3
        index_cache.cached_index("x", ["key"], build, cache_dir=tmp_path, refresh=True)
        assert len(built) == 4

    def test_a_cache_that_cannot_be_written_is_no_obstacle(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        index = index_cache.cached_index(
            "x", [], lambda: (make_index(), []), cache_dir=tmp_path / "file"
        )
        assert len(index) == 5

    def test_folder_from_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MMDEEPMOT_CACHE", str(tmp_path / "here"))
        assert index_cache.default_cache_dir() == tmp_path / "here"


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (os.mkdir, (str(self.path),))
