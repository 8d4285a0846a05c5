import numpy as np
import pytest

from mmdeepmot.structures.track_table import Column, TrackState, TrackTable, TrackView, state_table


def filled(count=5, **kwargs):
    table = TrackTable({"extra": Column((2,), np.float32, -1), "wide": Column((None,))}, **kwargs)
    rows = table.append(count, scores=np.arange(count) / 10, states=TrackState.TRACKED)
    table.write("wide", rows, np.arange(3.0 * count).reshape(count, 3))
    return table


def test_append_gives_new_ids_and_fills():
    table = filled(2)
    assert table.append(2, labels=7) == slice(2, 4)
    np.testing.assert_array_equal(table.ids, [1, 2, 3, 4])
    np.testing.assert_array_equal(table.labels, [0, 0, 7, 7])
    np.testing.assert_array_equal(table.scores, [0, 0.1, 0, 0])
    np.testing.assert_array_equal(table.states, [1, 1, 0, 0])
    np.testing.assert_array_equal(table["extra"], np.full((4, 2), -1))
    np.testing.assert_array_equal(table["wide"][2:], 0)
    assert table.append(0) == slice(4, 4)


def test_views_are_live():
    table = filled()
    table["extra"][1:3] = 4
    table.scores[0] = 9
    assert table["extra"][2, 1] == 4
    assert table.scores[0] == 9
    view = TrackView(table, np.array([0, 2]))
    np.testing.assert_array_equal(view["ids"], [1, 3])
    assert len(view) == 2
    assert len(TrackView(table, slice(0, 5))) == 5


@pytest.mark.parametrize(
    "mask", [[1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 0, 1, 1, 0], [0, 1, 1, 1, 1]]
)
def test_compact_keeps_order_and_ids_are_never_used_again(mask):
    table = filled()
    keep = np.array(mask, dtype=bool)
    expected = {name: table[name][keep].copy() for name in ("ids", "scores", "wide", "extra")}
    table.compact(keep)
    assert len(table) == keep.sum()
    for name, values in expected.items():
        np.testing.assert_array_equal(table[name], values)
    table.append(1)
    assert table.ids[-1] == 6


def test_growth_keeps_values():
    table = filled(3, capacity=2)
    assert table.capacity >= 3
    before = table["wide"].copy()
    table.append(100)
    assert len(table) == 103
    np.testing.assert_array_equal(table["wide"][:3], before)
    np.testing.assert_array_equal(table.ids, np.arange(1, 104))
    np.testing.assert_array_equal(table["extra"][3:], -1)


def test_clear_starts_anew_and_forgets_widths():
    table = filled()
    table.clear()
    assert len(table) == 0
    assert "wide" not in table
    table.write("wide", table.append(1), np.ones((1, 8)))
    assert table["wide"].shape == (1, 8)
    np.testing.assert_array_equal(table.ids, [1])


def test_state_round_trip_survives_a_file(tmp_path):
    table = filled()
    table.compact(np.array([True, False, True, True, True]))
    np.savez(tmp_path / "state.npz", **table.state_dict())
    other = TrackTable({"extra": Column((2,), np.float32, -1), "wide": Column((None,))}, capacity=1)
    other.append(3)
    other.load_state_dict(dict(np.load(tmp_path / "state.npz", allow_pickle=False)))
    assert other.next_id == table.next_id == 6
    for name, values in table.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name], values)
        assert other.state_dict()[name].dtype == values.dtype
    state = table.state_dict()
    state["ids"][:] = 0
    np.testing.assert_array_equal(table.ids, [1, 3, 4, 5])  # copies


def test_state_that_does_not_fit_changes_nothing():
    table = filled()
    state = table.state_dict()
    with pytest.raises(ValueError, match=r"missing \['extra'\], unknown \['strange'\]"):
        table.load_state_dict({**{k: v for k, v in state.items() if k != "extra"}, "strange": 1})
    with pytest.raises(ValueError, match=r"'bboxes' must have shape \(5, 4\), got \(5, 3\)"):
        table.load_state_dict({**state, "bboxes": np.zeros((5, 3))})
    with pytest.raises(ValueError, match="'scores'"):
        table.load_state_dict({**state, "scores": np.zeros(4)})
    np.testing.assert_array_equal(table.ids, [1, 2, 3, 4, 5])


def test_errors_name_the_column():
    table = filled()
    with pytest.raises(KeyError, match=r"'speed'.*must declare it"):
        table["speed"]
    with pytest.raises(KeyError, match="'speed'"):
        table.write("speed", slice(0, 1), 0)
    with pytest.raises(ValueError, match=r"'wide' holds values of shape \(3,\).*reset"):
        table.write("wide", slice(0, 5), np.zeros((5, 4)))
    with pytest.raises(ValueError, match="'extra' is declared twice"):
        table.register("extra", Column())
    table.register("extra", Column((2,), np.float32, -1))  # the same again is fine
    with pytest.raises(ValueError, match=r"mask must have shape \(5,\), got \(4,\)"):
        table.compact(np.ones(4, dtype=bool))
    table.clear()
    with pytest.raises(KeyError, match="settled by the first values"):
        table["wide"]
    with pytest.raises(ValueError, match=r"'wide' wants values of shape \(None,\).*got \(2, 2\)"):
        table.write("wide", table.append(1), np.zeros((1, 2, 2)))


def test_state_names():
    np.testing.assert_array_equal(state_table(["tracked", "lost"], "x"), [False, True, True, False])
    with pytest.raises(ValueError, match=r"Predict: states.*'tentative'.*got \['active'\]"):
        state_table(["active"], "Predict")
    with pytest.raises(ValueError, match="must be a list"):
        state_table("tracked", "Predict")
