"""Images, boxes and identities of a split, and what they are known to be."""

from dataclasses import asdict, dataclass, field

import numpy as np

from mmdeepmot.converters.source import Targets


@dataclass(slots=True)
class Counts:
    """What a split holds.

    Attributes:
        images: Number of images.
        boxes: Boxes to find.
        with_identity: Those of them that have an identity.
        ignored: Regions to ignore.
    """

    images: int = 0
    boxes: int = 0
    with_identity: int = 0
    ignored: int = 0
    _known: set[int] = field(default_factory=set, repr=False)

    @property
    def identities(self) -> int:
        """Number of identities."""
        return len(self._known)

    def add(self, targets: Targets) -> None:
        """Count one more image."""
        found = ~targets.ignore
        known = targets.identities[found & (targets.identities >= 0)]
        self.images += 1
        self.boxes += int(np.count_nonzero(found))
        self.ignored += int(np.count_nonzero(targets.ignore))
        self.with_identity += len(known)
        self._known.update(known.tolist())

    def to_dict(self) -> dict[str, int]:
        """The figures by name."""
        figures = {name: int(value) for name, value in asdict(self).items() if name != "_known"}
        return {**figures, "identities": self.identities}


@dataclass(frozen=True, slots=True)
class Known:
    """A published count.

    Attributes:
        figure: ``images``, ``boxes``, ``identities`` or ``ignored``.
        value: What it is said to be.
        source: Who says so.
        unit: To how many it is rounded (1: exact).
        note: Why a difference may be expected.
    """

    figure: str
    value: int
    source: str
    unit: int = 1
    note: str = ""

    def agrees(self, count: int) -> bool:
        """Whether a count is what is known, as far as that was rounded."""
        return abs(count - self.value) <= self.unit // 2

    def verdict(self, count: int) -> str:
        """One line: ours beside theirs."""
        said = f"{self.value}" if self.unit == 1 else f"{self.value / 1000:g}K"
        if self.agrees(count):
            return f"{self.figure} {count}: as known ({said}, {self.source})"
        note = f"; {self.note}" if self.note else ""
        return f"{self.figure} {count}: DIFFERS from {said} ({self.source}){note}"


def _table_2(images: int, boxes: int, identities: int = 0, note: str = "") -> list[Known]:
    """A column of Table 2 of the JDE paper: thousands; identities to the hundred below 1K."""
    source = "JDE paper, Table 2"
    rows = [
        Known("images", images, source, 1000, note),
        Known("boxes", boxes, source, 1000, note),
    ]
    if identities:
        unit = 100 if identities < 1000 else 1000
        rows.append(Known("identities", identities, source, unit, note))
    return rows


_LISTS = "list files of Towards-Realtime-MOT"
_MOT = "motchallenge.net"

KNOWN: dict[str, list[Known]] = {
    "eth.train": [
        Known("images", 2056, _LISTS, note="another choice of sequences, or images missing"),
        *_table_2(2000, 17000),
    ],
    "citypersons.train": [
        Known("images", 2975, "CityPersons paper, Table 1"),
        *_table_2(3000, 21000, note="which of the five classes count is not said"),
    ],
    "citypersons.val": [Known("images", 500, "CityPersons paper, Table 1")],
    "caltech.train": _table_2(27000, 46000, 600, "the paper does not say which frames it took"),
    "caltech.10k.val": [Known("images", 10000, _LISTS)],
    "mot16.train": [Known("images", 5316, _MOT), Known("boxes", 110407, _MOT)],
    "mot17.train": [
        Known("images", 5316, _MOT),
        Known("boxes", 112297, _MOT),
        Known("identities", 546, _MOT),
        *[
            Known("images", 5300, "JDE paper, Table 2 (printed 53K)", 100),
            Known("boxes", 112000, "JDE paper, Table 2", 1000),
            Known("identities", 500, "JDE paper, Table 2", 100),
        ],
    ],
    "mot15.train": [
        Known("images", 5500, _MOT),
        Known("boxes", 39905, _MOT),
        Known("identities", 500, _MOT),
    ],
    "mot20.train": [Known("images", 8931, _MOT)],
    "cuhksysu.train": [
        Known("images", 11206, "CUHK-SYSU, train/test split"),
        Known("boxes", 55272, "CUHK-SYSU, train/test split"),
        Known("identities", 5532, "CUHK-SYSU, train/test split"),
        *_table_2(11000, 55000, 7000, "the paper's 7K is more than the set's own count"),
    ],
    "cuhksysu.val": [
        Known("images", 6978, "CUHK-SYSU, train/test split"),
        Known("boxes", 40871, "CUHK-SYSU, train/test split"),
        Known("identities", 2900, "CUHK-SYSU, train/test split"),
    ],
    "prw.train": [
        Known("images", 5704, "PRW paper, Table 2"),
        *_table_2(6000, 18000, 500),
    ],
    "prw.val": [Known("images", 6112, "PRW paper, Table 2")],
    "crowdhuman.train": [
        Known("images", 15000, "CrowdHuman paper, Table 1"),
        Known("boxes", 339565, "CrowdHuman paper, Table 1"),
        Known("ignored", 99227, "CrowdHuman paper, Table 1"),
    ],
    "dancetrack.train": [
        Known("images", 41796, "DanceTrack paper, Table 2"),
        Known("identities", 419, "DanceTrack paper, Table 2"),
    ],
    "dancetrack.val": [
        Known("images", 25508, "DanceTrack paper, Table 2"),
        Known("identities", 273, "DanceTrack paper, Table 2"),
    ],
    "crowdhuman.val": [Known("images", 4370, "CrowdHuman paper, Table 1")],
}
"""Counts of list files as they are published.

The JDE paper's Table 2 is rounded to thousands, and its identities to hundreds below a thousand;
its M16 column prints 53K images where MOT16 has 5.3K.
"""

JOINT_TRAIN = (
    "eth.train",
    "citypersons.train",
    "caltech.train",
    "mot17.train",
    "cuhksysu.train",
    "prw.train",
)
"""The lists of the JDE paper's joint training set."""

JOINT_TOTAL = [
    Known("images", 54000, "JDE paper, Table 2", 1000),
    Known("boxes", 270000, "JDE paper, Table 2", 1000),
    Known(
        "identities",
        8700,
        "JDE paper, Table 2",
        100,
        "the paper counts 7K of CUHK-SYSU, whose training part has 5,532",
    ),
]
