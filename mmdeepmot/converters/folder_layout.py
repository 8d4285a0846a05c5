"""A set as MOTChallenge folders."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from mmdeepmot.converters.counts import Counts
from mmdeepmot.converters.plan import Options, Plan
from mmdeepmot.converters.source import Clip, Picture, SourceSet, Targets
from mmdeepmot.errors import InputError
from mmdeepmot.io.mot import MOT_CLASSES, PEDESTRIAN
from mmdeepmot.io.mot_classes import file_numbers


class FolderLayout:
    """``SPLIT/CLIP/img1``, ``gt/gt.txt`` and ``seqinfo.ini``."""

    def __init__(self, source: SourceSet, split: str, options: Options, plan: Plan) -> None:
        self.split, self.options, self.plan = split, options, plan
        self.counts = plan.counts[f"{source.name}.{split}"] = Counts()
        self.numbers = file_numbers(source.classes) if len(source.classes) > 1 else (PEDESTRIAN,)
        known = set(source.classes) <= set(MOT_CLASSES.values())
        self.keep_ignored = options.keep_ignored and (known or len(source.classes) == 1)
        self.dropped = 0
        self.names: set[str] = set()
        if len(source.classes) > 1:
            named = zip(source.classes, self.numbers, strict=True)
            plan.notes.append(
                f"{split}: classes in gt.txt: {', '.join(f'{name}={n}' for name, n in named)}"
            )

    def add(self, clip: Clip, pictures: Iterable[tuple[Picture, tuple[int, int], Targets]]) -> None:
        if not clip.is_video:
            raise InputError(
                f"{clip.name}: photographs have no order, and a MOTChallenge folder is a video: "
                "write list files (--form lists)"
            )
        name = self._folder_name(clip.name)
        folder = f"{self.split}/{name}"
        rows: list[str] = []
        size: tuple[int, int] | None = None
        numbers: dict[int, int] = {}
        suffix, frame = "", 0
        for picture, found, targets in pictures:
            size, suffix = size or found, suffix or PurePosixPath(picture.name).suffix
            if found != size or PurePosixPath(picture.name).suffix != suffix:
                self.plan.bad_files.append(
                    f"{picture.source}: {found[0]}x{found[1]} px, "
                    f"{PurePosixPath(picture.name).suffix}, where its sequence is "
                    f"{size[0]}x{size[1]} px, {suffix}: left out"
                )
                continue
            kept = targets if self.keep_ignored else targets.take(~targets.ignore)
            self.dropped += len(targets) - len(kept)
            unknown = int((~kept.ignore & (kept.identities < 0)).sum())
            if unknown:
                raise InputError(
                    f"{picture.where or clip.name}: {unknown} boxes of {picture.name} have no "
                    "identity, which MOTChallenge files cannot say: write list files (--form "
                    "lists), or give every box an identity that is in its image once"
                )
            frame += 1
            self.plan.images[f"{folder}/img1/{frame:06d}{suffix}"] = picture.source
            rows += gt_rows(frame, kept, numbers, self.numbers)
            self.counts.add(kept)
        if frame and size is not None:
            self.plan.texts[f"{folder}/gt/gt.txt"] = "".join(rows)
            self.plan.lists[f"{folder}/seqinfo.ini"] = (
                f"[Sequence]\nname={name}\nimDir=img1\n"
                f"frameRate={clip.fps:g}\nseqLength={frame}\nimWidth={size[0]}\n"
                f"imHeight={size[1]}\nimExt={suffix}\n"
            )

    def _folder_name(self, clip: str) -> str:
        """The last part of a clip's name; all parts, joined, where another clip has that one.

        Raises:
            InputError: It is no name of a folder, or two clips are called so.
        """
        parts = PurePosixPath(clip).parts
        for name in (parts[-1] if parts else "", "-".join(parts)):
            if name in ("", "..") or not name.isprintable() or set(name) & set("/\\"):
                raise InputError(f"{self.split}: expected the name of a video, got {clip!r}")
            if name not in self.names:
                self.names.add(name)
                return name
        raise InputError(f"{self.split}: two videos are called {clip!r}: expected each name once")

    def close(self) -> None:
        """Say what could not be written."""
        if self.dropped and self.options.keep_ignored:
            self.plan.notes.append(
                f"{self.split}: {self.dropped} regions to ignore, which MOTChallenge files cannot "
                "say beside classes of one's own"
            )


DISTRACTOR = 8
"""MOTChallenge's class of what is neither rewarded nor punished."""

_IGNORED_FROM = 1_000_000


def gt_rows(
    frame: int, targets: Targets, numbers: dict[int, int], classes: Sequence[int] = (PEDESTRIAN,)
) -> list[str]:
    """Lines of ``gt.txt`` of one frame.

    Args:
        frame: Its number, from 1.
        targets: Its boxes, xyxy px; ignored ones become distractors with ids of their own.
        numbers: Id, from 1, of each identity met so far; new ones are added.
        classes: Number in the file of each class.
    """
    rows = []
    for row, (box, label, identity, ignore, visibility) in enumerate(
        zip(
            targets.bboxes.tolist(),
            targets.labels.tolist(),
            targets.identities.tolist(),
            targets.ignore.tolist(),
            targets.visibility.tolist(),
            strict=True,
        )
    ):
        left, top, right, bottom = box
        number = _IGNORED_FROM + row if ignore else numbers.setdefault(identity, len(numbers) + 1)
        flags = f"0,{DISTRACTOR}" if ignore else f"1,{classes[label]}"
        rows.append(
            f"{frame},{number},{left:.3f},{top:.3f},{right - left:.3f},{bottom - top:.3f},"
            f"{flags},{visibility:.5g}\n"
        )
    return rows
