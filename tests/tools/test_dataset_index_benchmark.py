"""The benchmark of large indices runs, and what it opens is what it wrote."""

import numpy as np
import tiny


def test_it_prints_what_it_measured(tmp_path, capsys):
    tool = tiny.load_tool("benchmarks/dataset_index")
    assert tool.main(["--images", "3000", "--sets", "2", "--dir", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "| images, identities | 3000, 600 |" in said
    assert "(bar: 10 s)" in said
    assert "(bar: 2 GB)" in said
    assert list(tmp_path.iterdir()) == []


def test_the_bars():
    tool = tiny.load_tool("benchmarks/dataset_index")
    worker = {"Rss": 1.9}
    assert tool.meets({"seconds": 9.9, "workers": [worker]})
    assert not tool.meets({"seconds": 10.1, "workers": [worker]})
    assert not tool.meets({"seconds": 9.9, "workers": [worker, {"Rss": 2.1}]})


def test_generated_sets(tmp_path):
    tool = tiny.load_tool("benchmarks/dataset_index")
    dataset = tool.open_joint(tool.write_indices(tmp_path, 2001, 2, 2))
    assert [len(part) for part in dataset.datasets] == [1000, 1001]
    assert [len(part.index.sequences) for part in dataset.datasets] == [1, 2]
    assert np.flatnonzero(dataset.successors < 0).tolist() == [999, 1999, 2000]
    assert dataset.num_identities == 2 * (20 + 21)
