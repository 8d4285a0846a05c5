"""What a conversion found and did, as text and as JSON."""

import hashlib
import json
from pathlib import Path
from typing import Any

from mmdeepmot.converters.counts import JOINT_TOTAL, JOINT_TRAIN, KNOWN, Known
from mmdeepmot.converters.plan import Form, Plan
from mmdeepmot.converters.write import Written, sweep, write_text
from mmdeepmot.errors import InputError

REPORT_FOLDER = "reports"
_SHOWN = 5
"""Messages of a kind that are printed where a report keeps all of them."""

_COLUMNS = ("images", "boxes", "with_identity", "ignored", "identities")


def checksum(plan: Plan) -> str:
    """SHA-256 over names and contents of all texts of a plan.

    Two conversions of the same data agree in it, wherever they ran.
    """
    digest = hashlib.sha256()
    for texts in (plan.texts, plan.lists):
        for target in sorted(texts):
            digest.update(f"{target}\0{texts[target]}\0".encode())
    return digest.hexdigest()


def to_dict(plan: Plan, written: Written | None) -> dict[str, Any]:
    """All of a report; ``written`` is None after a dry run."""
    return {
        "set": plan.name,
        "checksum": checksum(plan),
        "counts": {name: counts.to_dict() for name, counts in plan.counts.items()},
        "written": None
        if written is None
        else {name: getattr(written, name) for name in Written.__slots__},
        "notes": plan.notes,
        "bad_files": plan.bad_files,
        "bad_rows": plan.bad_rows,
    }


def report_path(out: Path, name: str, form: Form) -> Path:
    """Where the report of a set in a form is kept: the two may take different frames."""
    return out / REPORT_FOLDER / f"{name}.{form}.json"


def save_report(plan: Plan, written: Written, out: Path, form: Form) -> Path:
    """Write the report of a set as JSON; its path."""
    path = report_path(out, plan.name, form)
    sweep([path])
    write_text(path, json.dumps(to_dict(plan, written), indent=2) + "\n")
    return path


def describe(plan: Plan, written: Written | None) -> str:
    """Counts beside the published ones, and what was left out.

    Of many messages the first are shown: all are in the report, which a dry run does not write.
    """
    lines = [_table(plan)]
    for name, counts in plan.counts.items():
        figures = counts.to_dict()
        lines += [
            f"{name}: {known.verdict(figures[known.figure])}" for known in KNOWN.get(name, ())
        ]
    lines.append(f"checksum of all annotations: {checksum(plan)}")
    if written is None:
        lines.append(
            f"dry run: would make {len(plan.images)} images, "
            f"{len(plan.texts) + len(plan.lists)} text files; nothing was written"
        )
    else:
        lines.append(
            f"images: {written.images_made} made, {written.images_kept} there already; "
            f"text files: {written.texts_made} made, {written.texts_kept} there already"
        )
    for messages, what in (
        (plan.notes, "notes"),
        (plan.bad_rows, "boxes left out or changed"),
        (plan.bad_files, "files that could not be read"),
    ):
        if messages:
            shown = messages if written is None else messages[:_SHOWN]
            lines.append(f"{len(messages)} {what}:")
            lines += [f"  {message}" for message in shown]
            if len(messages) > len(shown):
                lines.append(f"  and {len(messages) - len(shown)} more, in the report")
    return "\n".join(lines)


def _table(plan: Plan) -> str:
    rows = [["", *(column.replace("_", " ") for column in _COLUMNS)]]
    for name, counts in plan.counts.items():
        figures = counts.to_dict()
        rows.append([name, *(str(figures[column]) for column in _COLUMNS)])
    return align(rows)


def align(rows: list[list[str]]) -> str:
    """Rows of cells as columns: names to the left, figures to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def describe_joint(out: Path) -> str:
    """Counts of the joint training set so far, beside Table 2 of the JDE paper.

    Read from the reports of the sets' lists under ``out``; an empty text where none is there.

    Raises:
        InputError: A report is damaged.
    """
    found: dict[str, dict[str, int]] = {}
    for name in JOINT_TRAIN:
        path = report_path(out, name.partition(".")[0], "lists")
        if path.is_file():
            row = _read_counts(path).get(name)
            found.update({name: row} if row else {})
    if not found:
        return ""
    total = {column: sum(row[column] for row in found.values()) for column in _COLUMNS}
    rows = [["joint training set", *(column.replace("_", " ") for column in _COLUMNS)]]
    for name in JOINT_TRAIN:
        row = found.get(name)
        rows.append([name, *(str(row[column]) if row else "missing" for column in _COLUMNS)])
    rows.append(["all", *(str(total[column]) for column in _COLUMNS)])
    lines = [align(rows)]
    if len(found) == len(JOINT_TRAIN):
        lines += [_total(known, total) for known in JOINT_TOTAL]
    return "\n".join(lines)


def _read_counts(path: Path) -> dict[str, dict[str, int]]:
    try:
        counts = json.loads(path.read_text(encoding="utf-8"))["counts"]
        return {
            name: {column: int(row[column]) for column in _COLUMNS} for name, row in counts.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: expected the report of a conversion with the counts {', '.join(_COLUMNS)}, "
            f"got another or a damaged one ({error!r}): delete it and convert that set again"
        ) from error


def _total(known: Known, total: dict[str, int]) -> str:
    return f"all: {known.verdict(total[known.figure])}"
