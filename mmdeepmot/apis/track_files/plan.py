"""Which sequences are tracked, with what, and where their ground truth is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mmdeepmot.apis.detections import find_info
from mmdeepmot.apis.track_files.task import Options, SequenceTask, Settings
from mmdeepmot.errors import InputError
from mmdeepmot.io.mot import read_seqinfo
from mmdeepmot.io.names import choose_names
from mmdeepmot.registry import CAMERAS
from mmdeepmot.trackers.building import look_up

IMAGE_FOLDER = "img1"


def choose_sequences(
    found: Mapping[str, Path], patterns: Sequence[str] | None = None
) -> dict[str, Path]:
    """Those whose names match one of the patterns (``MOT17-*-FRCNN``); None: all.

    Raises:
        InputError: A pattern matches nothing.
    """
    return {name: found[name] for name in choose_names(found, patterns, "--sequences")}


def find_gt(found: Mapping[str, Path], folder: Path | None = None) -> tuple[Path | None, list[str]]:
    """Where the ground truth is (``SEQ/gt/gt.txt`` in it), and of which sequences.

    Args:
        found: Detection files by sequence.
        folder: The folder; None: one beside the detections is looked for.

    Returns:
        None and no names if there is none beside the detections.

    Raises:
        FileNotFoundError: ``folder`` has none of these sequences.
    """
    if folder is None:
        first = next(iter(found.values())).resolve()
        places = list(first.parents)[:3]  # of DIR/SEQ.txt, DIR/SEQ/det.txt, DIR/SEQ/det/det.txt
    else:
        places = [folder]
    for place in places:
        names = [name for name in found if (place / name / "gt" / "gt.txt").is_file()]
        if names:
            return place, names
    if folder is None:
        return None, []
    raise FileNotFoundError(
        f"--gt {folder}: expected SEQ/gt/gt.txt of a sequence with detections, found none of "
        f"{list(found)}"
    )


def plan_tasks(found: Mapping[str, Path], gt: Path | None = None) -> list[SequenceTask]:
    """One task a sequence, the largest files first, so that all processes end at about one time.

    Args:
        found: Detection files by sequence.
        gt: Folder of the ground truth, whose ``seqinfo.ini`` counts where the detections have none.
    """
    tasks = []
    for name, path in found.items():
        beside_gt = gt is not None and (gt / name / "seqinfo.ini").is_file()
        info = None
        if gt is not None and beside_gt and find_info(path) is None:
            info = read_seqinfo(gt / name)
        tasks.append(SequenceTask(name, path, info))
    return sorted(tasks, key=lambda task: (-task.dets.stat().st_size, task.name))


def add_camera(
    tasks: Iterable[SequenceTask], camera: Options, folder: Path | None = None
) -> list[SequenceTask]:
    """The tasks with images and estimator of camera motion, where there are images.

    Args:
        tasks: As planned.
        camera: Config of the estimator.
        folder: ``folder/SEQ/img1``, ``folder/SEQ`` or ``folder`` itself hold a sequence's images;
            None: the folder that ``seqinfo.ini`` names, or ``img1`` beside the detections' folder.

    Raises:
        FileNotFoundError: A sequence has no images in ``folder``.
        InputError: No such estimator.
    """
    try:
        look_up(CAMERAS, camera, "--camera")
    except KeyError as error:
        raise InputError(error.args[0]) from error
    out = []
    for task in tasks:
        images = _images_beside(task) if folder is None else _images_in(folder, task.name)
        out.append(task if images is None else replace(task, images=images, camera=camera))
    return out


def _images_beside(task: SequenceTask) -> Path | None:
    info = find_info(task.dets)
    beside = task.dets.resolve().parent.parent / IMAGE_FOLDER
    place = beside if info is None else info.image_dir
    return place if place.is_dir() else None


def _images_in(folder: Path, name: str) -> Path:
    for place in (folder / name / IMAGE_FOLDER, folder / name, folder / IMAGE_FOLDER, folder):
        if place.is_dir() and any(entry.is_file() for entry in place.iterdir()):
            return place
    raise FileNotFoundError(
        f"--images {folder}: expected the images of sequence {name} in {name}/{IMAGE_FOLDER}, "
        f"{name} or the folder itself, found none"
    )


def check_overwriting(settings: Settings, tasks: Iterable[SequenceTask]) -> None:
    """Make sure that no result would take the place of a file of detections.

    Raises:
        InputError: One would.
    """
    tasks = list(tasks)
    dets = {task.dets.resolve() for task in tasks}
    for task in tasks:
        if settings.result(task.name).resolve() in dets:
            raise InputError(
                f"--out {settings.out}: {task.name}.txt there holds detections, which the result "
                "would overwrite; choose another folder"
            )
