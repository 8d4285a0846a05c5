"""The benchmark of large indices runs, and what it opens is what it wrote."""

import numpy as np
import pytest
import tiny

from mmdeepmot.errors import InputError


def test_it_prints_what_it_measured(tmp_path, capsys):
    tool = tiny.load_tool("benchmarks/dataset_index")
    assert tool.main(["--images", "3000", "--sets", "2", "--dir", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "| images, identities | 3000, 600 |" in said
    assert "(bar: 10 s)" in said
    assert "(bar: 2 GB)" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_million_images_meet_the_bars(tmp_path, capsys):
    tool = tiny.load_tool("benchmarks/dataset_index")
    status = tool.main(["--images", "1000000", "--boxes", "10", "--dir", str(tmp_path)])
    assert status == 0, capsys.readouterr().out


def test_the_bars():
    tool = tiny.load_tool("benchmarks/dataset_index")
    worker = {"Rss": 1.9}
    assert tool.meets({"seconds": 9.9, "workers": [worker]})
    assert not tool.meets({"seconds": 10.1, "workers": [worker]})
    assert not tool.meets({"seconds": 9.9, "workers": [worker, {"Rss": 2.1}]})


def test_generated_sets(tmp_path):
    tool = tiny.load_tool("benchmarks/dataset_index")
    dataset = tool.open_joint(tool.write_lists(tmp_path, 2001, 2, 2))
    assert [len(part) for part in dataset.datasets] == [1000, 1001]
    assert [len(part.index.sequences) for part in dataset.datasets] == [1, 2]
    assert np.flatnonzero(dataset.successors < 0).tolist() == [999, 1999, 2000]
    assert dataset.num_identities == 2 * (20 + 21)
    assert {type(part).__name__ for part in dataset.datasets} == {"JDEListDataset"}


def test_what_is_opened_is_the_cache(tmp_path):
    """The lists are empty: without the cache there is nothing."""
    tool = tiny.load_tool("benchmarks/dataset_index")
    (path,) = tool.write_lists(tmp_path, 1500, 1, 1)
    (cache,) = tmp_path.glob("*.npz")
    assert len(tool.open_list(path)) == 1500
    cache.unlink()
    with pytest.raises(InputError, match=r"set0\.train"):
        tool.open_list(path)
