"""What is counted in a sequence, how counts add up over sequences, and the rates made of them.

Both evaluators only count; the rates are computed here, so that they are defined once, and alike
for a sequence and for all of them together (whose counts are the sums).
"""

from dataclasses import dataclass, fields
from typing import TypeVar

NAN = float("nan")


def percent(part: float, whole: float) -> float:
    """``100 * part / whole``, or NaN (undefined) where the whole is 0."""
    return 100.0 * part / whole if whole else NAN


_C = TypeVar("_C", "ClearCounts", "IdentityCounts")


def _add(a: _C, b: _C) -> _C:
    return type(a)(**{f.name: getattr(a, f.name) + getattr(b, f.name) for f in fields(a)})


@dataclass(frozen=True, slots=True)
class ClearCounts:
    """Counts of the CLEAR MOT metrics (Bernardin and Stiefelhagen 2008).

    Attributes:
        matches: Objects (boxes of the ground truth) with a partner, those that switched included.
        misses: Objects without (FN).
        false_positives: Results without an object (FP).
        switches: Matches to another identity than the object's last one (IDs).
        overlap: Sum of the IoU of all matches.
        mostly_tracked: Trajectories matched in at least (trackeval: more than) 80% of their frames.
        partly_tracked: Trajectories between the two.
        mostly_lost: Trajectories matched in less than 20% of their frames.
        fragments: Interruptions of trajectories between their first and last match.
    """

    matches: int = 0
    misses: int = 0
    false_positives: int = 0
    switches: int = 0
    overlap: float = 0.0
    mostly_tracked: int = 0
    partly_tracked: int = 0
    mostly_lost: int = 0
    fragments: int = 0

    def __add__(self, other: "ClearCounts") -> "ClearCounts":
        return _add(self, other)

    def rates(self) -> dict[str, float]:
        """Columns of a table. Rates in percent, NaN where undefined (nothing to divide by).

        MOTA = 1 - (FN + FP + IDs) / GT; MOTP = mean overlap (IoU) of the matches.
        """
        objects = self.matches + self.misses
        errors = self.misses + self.false_positives + self.switches
        return {
            "MOTA": percent(objects - errors, objects),
            "MOTP": percent(self.overlap, self.matches),
            "IDs": self.switches,
            "FP": self.false_positives,
            "FN": self.misses,
            "Frag": self.fragments,
            "MT": self.mostly_tracked,
            "PT": self.partly_tracked,
            "ML": self.mostly_lost,
            "Prec": percent(self.matches, self.matches + self.false_positives),
            "Rec": percent(self.matches, objects),
            "GT": objects,
            "Tracks": self.mostly_tracked + self.partly_tracked + self.mostly_lost,
        }


@dataclass(frozen=True, slots=True)
class IdentityCounts:
    """Counts of the identity metrics (Ristani et al. 2016), under the best one-to-one matching of
    whole trajectories.

    Attributes:
        idtp: Boxes that the matched trajectories share.
        idfp: Boxes of results beyond these.
        idfn: Boxes of the ground truth beyond these.
    """

    idtp: int = 0
    idfp: int = 0
    idfn: int = 0

    def __add__(self, other: "IdentityCounts") -> "IdentityCounts":
        return _add(self, other)

    def rates(self) -> dict[str, float]:
        """IDF1, IDP and IDR in percent, NaN where undefined."""
        return {
            "IDF1": percent(2 * self.idtp, 2 * self.idtp + self.idfp + self.idfn),
            "IDP": percent(self.idtp, self.idtp + self.idfp),
            "IDR": percent(self.idtp, self.idtp + self.idfn),
        }
