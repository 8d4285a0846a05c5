"""Which files a set becomes: images, annotation texts, and lists, in the order of writing."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mmdeepmot.converters.counts import Counts
from mmdeepmot.converters.source import Piece, SourceSet

Form = Literal["lists", "mot"]


@dataclass(slots=True)
class Plan:
    """What is to be written, all paths relative to the output folder.

    Attributes:
        name: Of the set.
        images: Target -> where the image is now.
        texts: Target -> content, written after the images.
        lists: Target -> content, written at the end: who reads a list finds all that it names.
        counts: What each list or split holds.
        notes: What was left out on purpose, and what else should be known.
        bad_files: Files that could not be read.
        bad_rows: Boxes that were left out or changed.
    """

    name: str
    images: dict[str, Path | Piece] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    bad_files: list[str] = field(default_factory=list)
    bad_rows: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, source: SourceSet) -> "Plan":
        """An empty plan with what the reader had to say."""
        return cls(
            source.name,
            notes=list(source.notes),
            bad_files=list(source.bad_files),
            bad_rows=list(source.bad_rows),
        )


@dataclass(frozen=True, slots=True)
class Options:
    """How a set is written.

    Attributes:
        form: List files with ``labels_with_ids``, or MOTChallenge folders.
        keep_ignored: Whether regions to ignore are written (list files: rows of class -1).
        verify: Whether every image is decoded; otherwise its header is read.
    """

    form: Form = "lists"
    keep_ignored: bool = True
    verify: bool = False
