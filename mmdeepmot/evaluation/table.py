"""Tables of scores: a row for each sequence (or size), one for all, and a caption that says how."""

import math
from dataclasses import dataclass, field

OVERALL = "OVERALL"
MEAN = "MEAN"


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Scores of sequences.

    Attributes:
        caption: Evaluators, thresholds and conventions behind the figures.
        columns: Name of each column -> digits after the point (0: a count).
        rows: Name of each row -> its values by column; the last row is OVERALL.
        notes: What else should be known (sequences left out, boxes removed).
        rows_are: What a row stands for.
    """

    caption: str
    columns: dict[str, int]
    rows: dict[str, dict[str, float]]
    notes: tuple[str, ...] = field(default=())
    rows_are: str = "Sequence"

    @property
    def overall(self) -> dict[str, float]:
        """The row OVERALL."""
        return self.rows[OVERALL]

    def to_text(self) -> str:
        """Caption, header and rows in aligned columns; undefined values are shown as '-'."""
        lines = [[self.rows_are, *self.columns]]
        for name, values in self.rows.items():
            cells = (_cell(values[key], digits) for key, digits in self.columns.items())
            lines.append([name, *cells])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
            for row in lines
        ]
        return "\n".join([self.caption, *table, *self.notes])

    def __str__(self) -> str:
        return self.to_text()


def _cell(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
