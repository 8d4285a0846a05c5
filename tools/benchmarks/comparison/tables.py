"""Tables of docs/benchmarks.md."""

from collections.abc import Mapping, Sequence

from comparison.accuracy import SCORES
from comparison.ours import OurContender
from comparison.speed import Growth, Timing
from mmdeepmot.evaluation.table import OVERALL, ScoreTable
from mmdeepmot.io.pages import markdown


def speed_table(
    timings: Sequence[Timing], missing: Sequence[str], frames: int
) -> tuple[str, float | None]:
    """One method on one scene.

    Returns:
        The table, and ours by the fastest other (CPU frames a second; the slowest of our rows);
        None where there is no other.
    """
    others = [timing.cpu for timing in timings if not isinstance(timing.contender, OurContender)]
    rows, ratios = [], []
    for timing in timings:
        ratio = ""
        if isinstance(timing.contender, OurContender) and others:
            ratios.append(min(others) / timing.cpu)
            ratio = f"**{ratios[-1]:.1f}x**"
        cut = "" if timing.frames >= frames else f" (first {timing.frames} frames)"
        rows.append(
            [
                f"{timing.contender.name}, {timing.contender.setting}{cut}",
                f"{1 / timing.cpu:,.0f}",
                f"{1 / timing.wall:,.0f}",
                f"{timing.cpu * 1e6:,.0f}",
                ratio,
            ]
        )
    rows += [[reason, "", "", "", ""] for reason in missing]
    header = ["", "frames/s (CPU)", "frames/s (wall)", "µs a frame", "by the fastest other"]
    return markdown(header, rows), min(ratios) if ratios else None


def growth_table(found: Mapping[str, Sequence[Growth]]) -> str:
    """Growth of our time with the scene, all methods."""
    rows = [
        [
            name if index == 0 else "",
            f"{one.objects:.0f}",
            f"{one.cpu * 1e6:,.0f}",
            "" if index == 0 else f"{one.exponent:.2f}",
            "" if index == 0 else f"{one.of_n_log_n:.2f}",
        ]
        for name, series in found.items()
        for index, one in enumerate(series)
    ]
    header = ["", "objects", "µs a frame (CPU)", "exponent", "growth / growth of n log n"]
    return markdown(header, rows)


def accuracy_table(
    found: Sequence[tuple[str, ScoreTable, ScoreTable | None]], every_sequence: bool = False
) -> str:
    """Ours and theirs in SCORES and identity switches.

    Args:
        found: Title of the row, our scores, theirs (None: not installed).
        every_sequence: A row for every sequence instead of OVERALL.
    """
    rows = []
    for title, ours, theirs in found:
        names = [name for name in ours.rows if (name != OVERALL) == every_sequence]
        for name in names:
            row = [f"{title}, {name}" if every_sequence else title]
            for key in (*SCORES, "IDs"):
                mine = ours.rows[name][key]
                digits = 0 if key == "IDs" else 2
                if theirs is None:
                    row.append(f"{mine:.{digits}f} / –")
                    continue
                other = theirs.rows[name][key]
                sign = f"{mine - other:+.{digits}f}"
                row.append(f"{mine:.{digits}f} / {other:.{digits}f} ({sign})")
            rows.append(row)
    return markdown(["ours / `trackers` (difference)", *SCORES, "IDs"], rows)
