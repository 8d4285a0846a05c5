"""Measurements in Markdown pages: tables, what they were measured with, and their place."""

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mmdeepmot.errors import InputError

#: Packages whose versions matter to the figures.
_PACKAGES = (
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
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return (
        f"`{command}`\n\n{_processor()}, {os.cpu_count()} cores of which one is used, "
        f"Python {platform.python_version()}; {', '.join(found)}."
    )


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


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
