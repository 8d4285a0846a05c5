"""What the metrics share: frames of a batch as arrays, brought together from all processes."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from mmengine.dist import all_gather_object, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmdeepmot.errors import InputError
from mmdeepmot.evaluation.functional.areas import SIZES, AreaLimits
from mmdeepmot.evaluation.table import MEAN, ScoreTable

Classes = Literal["apart", "together"]


@dataclass(slots=True)
class FrameRecord:
    """What a metric keeps of one frame.

    Attributes:
        sequence: Name of the sequence.
        frame: Index of the frame in the sequence, from 0.
        number: Its number in the files, from 1.
        image: Path of its image, '' if unknown: tells apart sequences of one name.
        arrays: Ground truth and predictions, by name.
    """

    sequence: str
    frame: int
    number: int
    image: str = ""
    arrays: dict[str, NDArray] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """Sequence and frame, for messages."""
        return f"sequence {self.sequence}, frame {self.number}"


def check_classes(classes: str) -> Classes:
    """Whether classes are scored ``apart`` or ``together``.

    Raises:
        InputError: Another word.
    """
    if classes not in get_args(Classes):
        raise InputError(f"classes must be one of {get_args(Classes)}, got {classes!r}")
    return classes  # type: ignore[return-value]


def to_array(value: Any, dtype: Any = None) -> NDArray:
    """A tensor on any device, or anything numpy takes, as an array."""
    if hasattr(value, "detach"):
        value = value.detach()
        value = (value.float() if value.is_floating_point() else value).cpu().numpy()
    return np.asarray(value, dtype=dtype)


class SequenceMetric(BaseMetric):
    """Base of metrics on frames of sequences.

    mmengine gathers results through files, interleaves the processes and cuts to the length of the
    dataset. Here arrays are gathered in memory and keyed by sequence and frame, whatever the
    sampler repeats; every process computes the same figures.

    After ``evaluate`` the attribute ``table`` holds the scores of the last evaluation as a
    :class:`~mmdeepmot.evaluation.table.ScoreTable`, on every process, and ``area_table`` those by
    the size of objects where ``areas`` are given, and ``class_table`` those of single classes where
    they are told apart.

    Args:
        prefix: Put before the name of each figure; each metric has its own default.
        print_table: Whether the main process logs the tables.
        areas: Limits in px^2 of the original image between small, medium and large objects
            (FairMOT: 6000 and 25000); None: sizes are not told apart.
    """

    def __init__(
        self,
        prefix: str | None = None,
        print_table: bool = True,
        areas: Sequence[float] | None = None,
    ) -> None:
        super().__init__(collect_device="cpu", prefix=prefix)
        self.print_table = print_table
        self.areas = None if areas is None else AreaLimits.of(areas)
        self.table: ScoreTable | None = None
        self.area_table: ScoreTable | None = None
        self.class_table: ScoreTable | None = None

    @abstractmethod
    def record(self, frame: Any, where: FrameRecord) -> dict[str, NDArray]:
        """The arrays to keep of one frame's sample; ``where`` says which frame it is."""

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keeps what the metric needs of every frame.

        Args:
            data_batch: Not used.
            data_samples: ``TrackDataSample`` (clips) or ``DetDataSample`` (frames) as dicts, as
                mmengine's ``Evaluator`` passes them.
        """
        for sample in data_samples:
            for frame in iter_frames(sample):
                record = _locate(frame)
                record.arrays = self.record(frame, record)
                self.results.append(record)

    def evaluate(self, size: int) -> dict[str, float]:
        """Figures over all frames of all processes; the same on each of them.

        Args:
            size: Length of the dataset (not needed: frames are known by sequence and number).

        Raises:
            InputError: No frame came, or the frames of a sequence were divided among processes
                where the metric needs them from one.
        """
        gathered = all_gather_object(list(self.results))
        self.results.clear()
        records = self.merge(gathered)
        if not records:
            raise InputError(
                f"{type(self).__name__} was given no frame to score: is the dataset empty?"
            )
        figures = self.compute_metrics(records)
        for table in (self.table, self.class_table, self.area_table):
            if self.print_table and table is not None and is_main_process():
                print_log("\n" + table.to_text(), logger="current")
        return {f"{self.prefix}/{key}": value for key, value in figures.items()}

    def figures(self) -> dict[str, float]:
        """The row OVERALL of the table, and the rows of classes and sizes (``AP@0.5/small``)."""
        figures = {} if self.table is None else dict(self.table.overall)
        if self.class_table is not None:
            for name in (*self.class_names, MEAN):
                row = self.class_table.rows.get(name, {})
                figures |= {f"{column}/{name}": value for column, value in row.items()}
        if self.area_table is not None:
            for size in SIZES:
                row = self.area_table.rows[size]
                figures |= {f"{column}/{size}": value for column, value in row.items()}
        return figures

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the dataset's classes; none where it does not say."""
        return tuple((self.dataset_meta or {}).get("classes", ()))

    def merge(self, gathered: Sequence[Sequence[FrameRecord]]) -> list[FrameRecord]:
        """Records of all processes, each frame once, ordered by sequence and frame."""
        unique = {(r.sequence, r.frame, r.image): r for rank in gathered for r in rank}
        return [unique[key] for key in sorted(unique)]


def merge_whole_sequences(gathered: Sequence[Sequence[FrameRecord]]) -> list[FrameRecord]:
    """As ``merge``, but all frames of a sequence must come from one process.

    Identities of a tracker mean nothing from one process to the next. A sequence that several
    processes have seen (samplers repeat items to give every process as many) is taken from the one
    that saw most of it.

    Raises:
        InputError: A sequence was divided among processes, or two sequences have one name.
    """
    by_sequence: dict[str, list[dict[int, FrameRecord]]] = {}
    for records in gathered:
        own: dict[str, dict[int, FrameRecord]] = {}
        for record in records:
            known = own.setdefault(record.sequence, {}).setdefault(record.frame, record)
            if known.image != record.image:
                raise InputError(
                    f"{record.where} came from two images, {known.image} and {record.image}: "
                    "sequences that are tracked need names of their own"
                )
        for sequence, frames in own.items():
            by_sequence.setdefault(sequence, []).append(frames)
    merged = []
    for sequence in sorted(by_sequence):
        parts = by_sequence[sequence]
        best = max(parts, key=len)
        everything = set().union(*parts)
        if len(best) < len(everything):
            raise InputError(
                f"the {len(everything)} frames of sequence {sequence} were divided among "
                f"{len(parts)} processes, of which none saw more than {len(best)}: a tracker needs "
                "whole sequences, use SequenceSampler in the test dataloader (which divides "
                "photographs: they are none)"
            )
        merged += [best[frame] for frame in sorted(best)]
    return merged


def iter_frames(sample: Any) -> Iterator[Any]:
    """The frames of a clip's sample; a sample of one frame is its own."""
    clip = sample.get("video_data_samples")
    yield from [sample] if clip is None else clip


def _locate(frame: Any) -> FrameRecord:
    sequence = frame.get("video_name", frame.get("img_path"))
    if sequence is None:
        raise KeyError(
            "a sample needs video_name and frame_id (or img_path) in its meta data to be scored; "
            f"it has {sorted(frame.keys() if isinstance(frame, dict) else frame.all_keys())}"
        )
    index = int(frame.get("frame_id", 0))
    number = int(frame.get("frame_number", index + 1))
    return FrameRecord(str(sequence), index, number, str(frame.get("img_path", "")))


def get_field(frame: Any, name: str, where: FrameRecord, made_by: str) -> Any:
    """A field such as ``gt_instances`` of a frame's sample.

    Raises:
        KeyError: The sample has no such field.
    """
    value = frame.get(name)
    if value is None:
        raise KeyError(f"{where.where}: expected {name} in the sample, found none; {made_by}")
    return value


def get_array(
    instances: Any, name: str, where: FrameRecord, shape: tuple[int, ...], dtype: Any
) -> NDArray:
    """An array of a sample's instances, checked.

    Args:
        instances: ``InstanceData`` or dict.
        name: Of the array.
        where: For messages.
        shape: Expected shape; -1 for any length.
        dtype: To convert to.

    Raises:
        KeyError: There is no such array.
        InputError: NaN or infinite values.
        ValueError: Another shape.
    """
    value = instances.get(name)
    if value is None:
        raise KeyError(f"{where.where}: the sample's instances lack {name!r}")
    array = to_array(value, dtype)
    if array.size == 0 and array.ndim != len(shape):
        array = array.reshape([max(length, 0) for length in shape])
    fits = array.ndim == len(shape) and all(
        want in (-1, have) for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(
            f"{where.where}: expected {name} of shape {shape} (-1: any), got {array.shape}"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))[0])
        raise InputError(
            f"{where.where}: expected finite {name}, got {array[row].tolist()} in row {row}"
        )
    return array
