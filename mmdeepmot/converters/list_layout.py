"""A set as list files with ``labels_with_ids``, which :mod:`mmdeepmot.datasets.jde_list` reads."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from mmdeepmot.converters.counts import Counts
from mmdeepmot.converters.plan import Options, Plan
from mmdeepmot.converters.source import Clip, Picture, SourceSet, Targets


class ListLayout:
    """``FOLDER/images``, ``FOLDER/labels_with_ids`` and ``lists/NAME.SPLIT``."""

    def __init__(self, source: SourceSet, split: str, options: Options, plan: Plan) -> None:
        self.source, self.split, self.options, self.plan = source, split, options, plan
        self.numbers: dict[int, int] = {}
        self.targets: dict[str, Targets] = {}

    def add(self, clip: Clip, pictures: Iterable[tuple[Picture, tuple[int, int], Targets]]) -> None:
        for picture, size, targets in pictures:
            name = _without_images(picture.name)
            image = f"{self.source.folder}/images/{name}"
            label = f"{self.source.folder}/labels_with_ids/{name.with_suffix('.txt')}"
            if label in self.plan.texts:
                self.plan.bad_files.append(
                    f"{picture.where or clip.name}: the image {picture.name} is in the set twice "
                    "(or differs from another in its suffix alone): taken once"
                )
                continue
            kept = targets if self.options.keep_ignored else targets.take(~targets.ignore)
            self.plan.images[image] = picture.source
            self.plan.texts[label] = label_text(kept, size, self.numbers)
            self.targets[image] = kept

    def close(self) -> None:
        self._write(self.split, list(self.targets))
        for name, (split, most) in self.source.subsets.items():
            if split == self.split:
                self._write(name, evenly(list(self.targets), most))
        if len(self.source.classes) > 1:
            classes = "".join(f"{name}\n" for name in self.source.classes)
            self.plan.lists[f"{self.source.folder}/classes.txt"] = classes

    def _write(self, split: str, images: list[str]) -> None:
        name = f"{self.source.name}.{split}"
        counts = self.plan.counts[name] = Counts()
        for image in images:
            counts.add(self.targets[image])
        self.plan.lists[f"lists/{name}"] = "".join(f"{image}\n" for image in images)


def _without_images(name: str) -> PurePosixPath:
    """A name without folders called ``images``: readers find the labels by the last of them."""
    *folders, file = PurePosixPath(name).parts
    return PurePosixPath(*(folder for folder in folders if folder != "images"), file)


def label_text(targets: Targets, size: tuple[int, int], numbers: dict[int, int]) -> str:
    """Content of a ``labels_with_ids`` file.

    Args:
        targets: Boxes of the image, xyxy px.
        size: (width, height) px of it.
        numbers: Number, from 0, of each identity met so far; new ones are added.
    """
    width, height = size
    rows = []
    for box, label, identity, ignore in zip(
        targets.bboxes.tolist(),
        targets.labels.tolist(),
        targets.identities.tolist(),
        targets.ignore.tolist(),
        strict=True,
    ):
        number = -1 if identity < 0 else numbers.setdefault(identity, len(numbers))
        left, top, right, bottom = box
        place = (
            (left + right) / 2 / width,
            (top + bottom) / 2 / height,
            (right - left) / width,
            (bottom - top) / height,
        )
        numbers_text = " ".join(f"{value:.7f}" for value in place)
        rows.append(f"{-1 if ignore else label} {number} {numbers_text}\n")
    return "".join(rows)


def evenly(items: list[str], most: int) -> list[str]:
    """At most ``most`` of the items, evenly spread, in their order."""
    if len(items) <= most:
        return items
    return [items[row * len(items) // most] for row in range(most)]
