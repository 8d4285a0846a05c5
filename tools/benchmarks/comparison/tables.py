"""Markdown tables, and their place in docs/benchmarks.md."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from comparison.accuracy import SCORES
from comparison.ours import OurContender
from comparison.speed import Growth, Timing
from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.table import OVERALL, ScoreTable

#: Packages whose versions matter to the figures.
_VERSIONS = (
    "mmdeepmot",
    "numpy",
    "scipy",
    "trackers",
    "supervision",
    "motpy",
    "filterpy",
    "lap",
    "torch",
    "onedl-mmdetection",
    "motmetrics",
    "trackeval",
)


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and the others are numbers."""
    lines = [" | ".join(header), " | ".join(["---"] + ["---:"] * (len(header) - 1))]
    lines += [" | ".join(row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def conditions(command: str) -> str:
    """Machine, versions and command of a measurement."""
    found = []
    for name in _VERSIONS:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return (
        f"`{command}`\n\n{_processor()}, {os.cpu_count()} cores of which one is used, "
        f"Python {platform.python_version()}; {', '.join(found)}."
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


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


def place(page: Path, section: str, text: str, title: str = "# Benchmarks\n") -> None:
    """Put a generated section into a page; everything outside its markers stays as it is.

    Args:
        page: Markdown file; made where there is none.
        section: Name in the markers ``<!-- begin NAME -->`` and ``<!-- end NAME -->``.
        text: What stands between them.
        title: Beginning of a new page.

    Raises:
        InputError: The page has only one of the markers, or they stand in the wrong order.
    """
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    old = page.read_text(encoding="utf-8") if page.is_file() else title
    block = f"{begin}\n{text.strip()}\n{end}"
    if begin not in old and end not in old:
        new = f"{old.rstrip()}\n\n{block}\n"
    else:
        before, found_begin, rest = old.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise InputError(
                f"{page}: expected {begin} and after it {end}, found only one of them or the wrong "
                "order; put both in, or take both out"
            )
        new = before + block + after
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(new, encoding="utf-8")
