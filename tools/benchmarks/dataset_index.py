"""How long a large joint set takes to open, and what memory it holds in every worker.

    python tools/benchmarks/dataset_index.py [--images 1000000] [--boxes 10] [--sets 6] [--dir DIR]

Generates the annotation indices of list files, which JDEListDataset keeps in its cache, opens the
lists again from there as one JointDataset in a new process, and reads annotations at random in the
workers of a data loader. Left out is what is done once: reading lists, labels and the headers of
images. The bars: open in 10 s; 2 GB of memory in a worker.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from mmdeepmot.datasets import JDEListDataset, JointDataset
from mmdeepmot.datasets.index import AnnotationIndex, Boxes, PackedStrings, SequenceRecord
from mmdeepmot.errors import InputError, run_command

SECONDS_BAR = 10.0
GIGABYTES_BAR = 2.0
_CLIP = 1000
_READS = 2000
_WORKERS = 2


def generate_index(images: int, boxes: int, number: int) -> AnnotationIndex:
    """An index of videos of 1000 frames.

    Args:
        images: Frames.
        boxes: Boxes of a frame; a person stays for 50 frames.
        number: Of the set: another one has other names and places.
    """
    rng = np.random.default_rng(number)
    videos = -(-images // _CLIP)
    frames = np.arange(images)
    owners = np.repeat(frames, boxes)
    corner = rng.uniform(0, 1000, (images * boxes, 2))
    sides = rng.uniform(20, 200, (images * boxes, 2))
    persons = owners // 50 * boxes + np.tile(np.arange(boxes), images)
    return AnnotationIndex(
        sequences=[SequenceRecord(f"set{number}-video{video:06d}") for video in range(videos)],
        frame_sequences=(frames // _CLIP).astype(np.int32),
        frame_numbers=frames % _CLIP + 1,
        paths=PackedStrings.pack(
            f"data/joint/Set{number}/images/train/video{frame // _CLIP:06d}/img1/{frame:06d}.jpg"
            for frame in range(images)
        ),
        sizes=np.tile(np.array([[1920, 1080]], dtype=np.int32), (images, 1)),
        boxes=Boxes.of_frames(
            owners,
            images,
            np.concatenate((corner, corner + sides), axis=1),
            persons,
            np.zeros(images * boxes, dtype=bool),
            np.ones(images * boxes),
        ),
    )


def open_list(path: Path) -> JDEListDataset:
    """The dataset of a list file, its cache beside it."""
    return JDEListDataset(path, path.parent, cache_dir=path.parent)


def write_lists(folder: Path, images: int, boxes: int, sets: int) -> list[Path]:
    """List files of ``sets`` sets that have ``images`` together, whose indices are in the cache.

    The files themselves are empty: they are not read where the cache is fresh.
    """
    paths = []
    for number in range(sets):
        count = images * (number + 1) // sets - images * number // sets
        labels = [folder / f"labels{number}" / str(video) for video in range(-(-count // _CLIP))]
        for label in labels:
            label.mkdir(parents=True)
        paths.append(folder / f"set{number}.train")
        paths[-1].touch()
        built = generate_index(count, boxes, number), [str(one) for one in labels]
        with (
            patch("mmdeepmot.datasets.jde_list.read_image_list"),
            patch("mmdeepmot.datasets.jde_list.build_list_index", return_value=built),
        ):
            open_list(paths[-1])
    return paths


def open_joint(paths: Sequence[Path]) -> JointDataset:
    """One dataset of list files."""
    return JointDataset([open_list(path) for path in paths])


def memory() -> dict[str, float]:
    """GB of this process: ``Rss`` all in memory, ``Pss`` its share, ``Private`` its alone."""
    kilobytes: dict[str, float] = {}
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split(":")
        kilobytes[name] = float(value.split()[0])
    private = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    figures = {"Rss": kilobytes["Rss"], "Pss": kilobytes["Pss"], "Private": private}
    return {name: value * 1024 / 1e9 for name, value in figures.items()}


class Reader:
    """A worker's item: annotations at random, then the memory that the worker holds."""

    def __init__(self, dataset: JointDataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return _WORKERS

    def __getitem__(self, item: int) -> dict[str, float]:
        rng = np.random.default_rng(item)
        began = time.perf_counter()
        for frame in rng.integers(len(self.dataset), size=_READS).tolist():
            part, position = self.dataset.locate(frame)
            self.dataset.datasets[part].frame_info(position)
        seconds = time.perf_counter() - began
        return {"us_an_item": 1e6 * seconds / _READS, **memory()}


def measure(paths: Sequence[Path]) -> dict[str, Any]:
    """Opening and reading, in this process and in workers of a data loader."""
    from torch.utils.data import DataLoader

    before = memory()["Rss"]
    began, worked = time.perf_counter(), time.process_time()
    dataset = open_joint(paths)
    opened, worked = time.perf_counter() - began, time.process_time() - worked
    began = time.perf_counter()
    pairs = int((dataset.successors >= 0).sum())
    sampled = time.perf_counter() - began
    loader: Any = DataLoader(
        Reader(dataset),  # type: ignore[arg-type]
        batch_size=None,
        num_workers=_WORKERS,
        multiprocessing_context="fork",
    )
    return {
        "images": len(dataset),
        "identities": dataset.num_identities,
        "pairs": pairs,
        "seconds": opened,
        "cpu_seconds": worked,
        "seconds_of_successors": sampled,
        "before": before,
        "main": memory()["Rss"],
        "workers": list(loader),
    }


def describe(figures: dict[str, Any]) -> str:
    """A table of what was measured."""
    workers = figures["workers"]
    most = {name: max(worker[name] for worker in workers) for name in workers[0]}
    rows = [
        ("images, identities", f"{figures['images']}, {figures['identities']}"),
        (
            "opened in",
            f"{figures['seconds']:.1f} s (bar: {SECONDS_BAR:g} s), {figures['cpu_seconds']:.1f} s "
            "of a core",
        ),
        ("successors of all frames", f"{figures['seconds_of_successors']:.2f} s"),
        ("annotations of an image in a worker", f"{most['us_an_item']:.0f} us"),
        ("memory before opening", f"{figures['before']:.2f} GB"),
        ("memory of the main process", f"{figures['main']:.2f} GB"),
        (
            "memory of a worker",
            f"{most['Rss']:.2f} GB (bar: {GIGABYTES_BAR:g} GB), of it its own "
            f"{most['Private']:.2f} GB",
        ),
    ]
    lines = [
        "| what | measured |",
        "| --- | --- |",
        *(f"| {what} | {said} |" for what, said in rows),
    ]
    return "\n".join(lines)


def meets(figures: dict[str, Any]) -> bool:
    """Whether the bars are met."""
    most = max(worker["Rss"] for worker in figures["workers"])
    return figures["seconds"] < SECONDS_BAR and most < GIGABYTES_BAR


def run(args: argparse.Namespace) -> None:
    """Generate, open in a new process, print.

    Raises:
        InputError: A bar is not met.
    """
    with tempfile.TemporaryDirectory(dir=args.dir) as folder:
        paths = write_lists(Path(folder), args.images, args.boxes, args.sets)
        command = [sys.executable, __file__, "--open", *map(str, paths)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    print(describe(figures))
    if not meets(figures):
        raise InputError("a bar of the table above is not met (is the machine quiet?)")


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--boxes", type=int, default=10, help="boxes of an image")
    parser.add_argument("--sets", type=int, default=6, help="data sets that are joined")
    parser.add_argument("--dir", help="folder for the indices (removed afterwards)")
    parser.add_argument("--open", nargs="+", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.open:
        print(json.dumps(measure(args.open)))
        return 0
    return run_command(lambda: run(args))


if __name__ == "__main__":
    sys.exit(main())
