"""Which classes of MOTChallenge text are objects of interest, and how they are labelled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.io.mot import MOT_CLASSES, PEDESTRIAN

_MAX_CLASS = 1_000_000


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Classes of interest.

    Attributes:
        names: Names; a class's label is its place here.
        numbers: Their numbers in the files.
        any_flag: Whether boxes of ground truth count whatever their flag.
        benchmark: Whether the numbers are those of MOT16, which also names classes to ignore.
    """

    names: tuple[str, ...] = (MOT_CLASSES[PEDESTRIAN],)
    numbers: tuple[int, ...] = (PEDESTRIAN,)
    any_flag: bool = False
    benchmark: bool = True

    def labels(self, classes: NDArray[np.integer]) -> NDArray[np.int64]:
        """Labels ``(N,)`` of numbers ``(N,)`` in a file, -1 for classes that are not of interest.

        -1, no class, is the first class.
        """
        table = np.asarray(self.numbers, dtype=np.int64)
        order = np.argsort(table)
        place = np.minimum(np.searchsorted(table[order], classes), len(table) - 1)
        found = np.where(table[order][place] == classes, order[place], -1)
        return np.where(np.asarray(classes) == -1, 0, found).astype(np.int64)

    def to_numbers(self, labels: NDArray[np.integer]) -> NDArray[np.int64]:
        """Numbers ``(N,)`` in a file of labels ``(N,)``."""
        return np.asarray(self.numbers, dtype=np.int64)[labels]

    def ignored(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """Those of a benchmark's ignored classes that are not of interest here."""
        if not self.benchmark:
            return ()
        return tuple(number for number in numbers if number not in self.numbers)


def file_numbers(classes: Sequence[str] | Mapping[str, int]) -> tuple[int, ...]:
    """The numbers by which classes are written to files, in the order of their labels.

    Those of a mapping; those of MOT16 where all are its classes; else 1, 2, 3, ...
    """
    if isinstance(classes, Mapping):
        return tuple(classes.values())
    known = {name: number for number, name in MOT_CLASSES.items()}
    if all(name in known for name in classes):
        return tuple(known[name] for name in classes)
    return tuple(range(1, len(classes) + 1))


def parse_classes(words: Sequence[str]) -> list[str] | dict[str, int]:
    """Classes of a command line: ``pedestrian car``, or ``cyclist=1 bus=4``.

    Raises:
        InputError: Some have a number and some not, one is no whole number, or a name comes twice.
    """
    pairs = [word.rpartition("=") if "=" in word else (word, "", "") for word in words]
    names = [name for name, _, _ in pairs]
    if not any(equals for _, equals, _ in pairs):
        return names
    if not all(name and number.isdecimal() for name, _, number in pairs) or (
        len(set(names)) < len(names)
    ):
        raise InputError(
            "classes: expected names (pedestrian car), or a name and a whole number each "
            f"(cyclist=1 bus=4), got {' '.join(words)}"
        )
    return {name: int(number) for name, _, number in pairs}


def class_table(
    classes: Sequence[str] | Mapping[str, int] | None = None, any_flag: bool = False
) -> ClassTable:
    """Classes as a config names them.

    Args:
        classes: Names of MOT16's classes, or names and numbers of one's own; None: pedestrians.
        any_flag: See :class:`ClassTable`.

    Raises:
        InputError: No class, one twice, an unknown name, or a number that is none.
    """
    if classes is None:
        return ClassTable(any_flag=any_flag)
    if isinstance(classes, str) or not len(classes):
        raise InputError(
            f"classes must be a list of names or a dict of names and numbers, got {classes!r}"
        )
    if isinstance(classes, Mapping):
        numbers = tuple(classes.values())
        wrong = [n for n in numbers if type(n) is not int or not 0 <= n <= _MAX_CLASS]
        if wrong or len(set(numbers)) < len(numbers):
            raise InputError(
                "classes must give every name a whole number of its own from 0, as in the files, "
                f"got {dict(classes)}"
            )
        return ClassTable(tuple(classes), numbers, any_flag, benchmark=False)
    known = {name: number for number, name in MOT_CLASSES.items()}
    unknown = [name for name in classes if name not in known]
    if unknown:
        raise InputError(
            f"classes: {unknown[0]!r} is no class of MOT16: there are {', '.join(known)}. For "
            "files of your own give names and numbers: classes=dict(cyclist=1, bus=4)"
        )
    if len(set(classes)) < len(classes):
        raise InputError(f"classes must name each class once, got {list(classes)}")
    return ClassTable(tuple(classes), file_numbers(classes), any_flag)
