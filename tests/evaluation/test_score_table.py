"""The text form of tables."""

from mmdeepmot.evaluation import OVERALL, ScoreTable


def test_columns_are_aligned_and_undefined_values_shown_as_dashes() -> None:
    table = ScoreTable(
        "Caption.",
        {"MOTA": 2, "IDs": 0},
        {
            "MOT17-02": {"MOTA": 64.3333, "IDs": 1544},
            OVERALL: {"MOTA": float("nan"), "IDs": 7.0},
        },
        notes=("A note.",),
    )
    assert table.to_text().splitlines() == [
        "Caption.",
        "Sequence   MOTA   IDs",
        "MOT17-02  64.33  1544",
        "OVERALL       -     7",
        "A note.",
    ]
    assert str(table) == table.to_text()
    assert table.overall["IDs"] == 7
