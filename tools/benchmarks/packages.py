"""Our trackers beside the same methods in other packages: speed, growth and accuracy.

One process, one core, detections given. Speed: MOT17-04 with its public FRCNN detections, and a
crowd of about 200 detections a frame, made of the shared MOT17 sequences side by side; runs of all
contenders take turns, and the median of the CPU time counts. Accuracy: ours against the package
``trackers`` with equal parameters, on four MOT17 sequences with FRCNN and SDP detections.

::

    pip install -e .[benchmarks]
    python tools/benchmarks/packages.py --out docs/benchmarks.md
"""

import argparse
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # one core: before numpy is imported

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from comparison import tables  # noqa: E402
from comparison.accuracy import score  # noqa: E402
from comparison.contender import METHODS, Contender, Unavailable  # noqa: E402
from comparison.mmdet_trackers import MMDET_METHODS, MMDetContender  # noqa: E402
from comparison.motpy_tracker import MotpyContender  # noqa: E402
from comparison.roboflow import SupervisionContender  # noqa: E402
from comparison.scenes import DETECTORS, read_scene, tile  # noqa: E402
from comparison.settings import SETTINGS, Setting  # noqa: E402
from comparison.sort_filterpy import FilterpyContender  # noqa: E402
from comparison.speed import compare, scaling  # noqa: E402

from mmdeepmot.errors import InputError, run_command  # noqa: E402
from mmdeepmot.io.pages import conditions, markdown, place  # noqa: E402

#: How often the four sequences stand side by side in the crowd: 4 x 53 detections a frame.
CROWD_COPIES = 4
#: How often MOT17-04 stands side by side in the series: 27 detections a frame each, up to 500.
GROWTH_COPIES = (1, 2, 4, 8, 16, 19)
GROWTH_FRAMES = 300

#: What the rows of the table of accuracy mean.
READINGS = """\
*Our config*: equal numbers; which tracks and detections meet, and how long a track lives, as in
`configs/METHOD`, that is, as published. *Steps as in trackers*: equal in these too. Where the
package departs from the publications: SORT shows a track from its third frame on for good
(published: three hits after the first, again after each miss, and all in the first three frames);
ByteTrack filters corners instead of centre and shape, gives one chance to all tracks alike, does
not weigh overlap by score and takes one threshold for strong and weak detections; BoT-SORT keeps
duplicates. Parameter by parameter: `tools/benchmarks/comparison/settings.py`."""


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def contenders(method: str) -> tuple[list[Contender], list[str]]:
    """Who is timed under a method, ours first, and why others are not."""
    makers: list[Callable[[], Contender]] = []
    for setting in SETTINGS[method]:
        makers.append(lambda setting=setting: setting.our_contender(method))  # type: ignore[misc]
    for setting in _distinct(SETTINGS[method]):
        makers.append(lambda setting=setting: setting.their_contender(method))  # type: ignore[misc]
    if method == "bytetrack":
        makers.append(SupervisionContender)
    if method == "sort":
        makers += [MotpyContender, FilterpyContender]
    if method in MMDET_METHODS:
        makers.append(lambda: MMDetContender(method))
    found, missing = [], []
    for make in makers:
        try:
            found.append(make())
        except Unavailable as reason:
            if str(reason) not in missing:
                missing.append(str(reason))
    return found, missing


def _distinct(settings: Iterable[Setting]) -> list[Setting]:
    """Those whose parameters of ``trackers`` differ."""
    found: list[Setting] = []
    for setting in settings:
        if all(setting.theirs != other.theirs for other in found):
            found.append(setting)
    return found


def speed_section(methods: Iterable[str], folders: list[Path], repeats: int, quick: bool) -> str:
    """Speed and growth, as Markdown."""
    sequences = [read_scene(folder) for folder in folders]
    busiest = max(sequences, key=lambda scene: scene.objects)
    crowd = tile(sequences * CROWD_COPIES, f"crowd, {CROWD_COPIES} x {len(sequences)} sequences")
    copies = GROWTH_COPIES[:2] if quick else GROWTH_COPIES
    series = [tile([busiest] * n, f"{n} x {busiest.name}", GROWTH_FRAMES) for n in copies]
    scenes = [scene.first(60) for scene in (busiest, crowd)] if quick else [busiest, crowd]
    parts, ratios, grown = [], [], {}
    for method in methods:
        found, missing = contenders(method)
        row = [METHODS[method]]
        for scene in scenes:
            timings = compare(found, scene, repeats, progress)
            table, ratio = tables.speed_table(timings, missing, len(scene.frames))
            row.append("" if ratio is None else f"{ratio:.1f}x")
            parts.append(
                f"**{METHODS[method]}, {scene.name}**: {scene.objects:.0f} detections a frame, "
                f"{len(scene.frames)} frames.\n\n{table}"
            )
        ratios.append(row)
        grown[METHODS[method]] = scaling(found[0], series, repeats, progress)
    header = ["ours by the fastest other", *(scene.name for scene in scenes)]
    growth = (
        f"Time of ours when the scene grows sideways ({busiest.name} up to {copies[-1]} times side "
        f"by side, {GROWTH_FRAMES} frames). The last column compares with the size before: below "
        "1, time grows more slowly than n log n.\n\n" + tables.growth_table(grown)
    )
    return "\n\n".join([markdown(header, ratios), *parts, growth])


def accuracy_section(methods: Iterable[str], folders: list[Path]) -> str:
    """Scores of ours and of ``trackers``, as Markdown."""
    overall, single, missing = [], [], ""
    caption = ""
    for method in methods:
        for detector in DETECTORS:
            scenes = [read_scene(folder, detector) for folder in folders]
            for setting in SETTINGS[method]:
                title = f"{METHODS[method]}, {setting.name}, {detector}"
                progress(f"accuracy: {title}")
                ours = score(setting.our_contender(method), scenes)
                caption = ours.caption
                try:
                    theirs = score(setting.their_contender(method), scenes)
                except Unavailable as reason:
                    theirs, missing = None, f"\n\n{reason}: `pip install -e .[benchmarks]`."
                overall.append((title, ours, theirs))
                single.append((f"{METHODS[method]}, {setting.name}", ours, theirs))
    return (
        f"{caption} Both report detection boxes.{missing}\n\n{READINGS}\n\n"
        f"{tables.accuracy_table(overall)}\n\n"
        f"<details><summary>Every sequence</summary>\n\n"
        f"{tables.accuracy_table(single, every_sequence=True)}\n\n</details>"
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--speed", action="store_true", help="only speed and growth")
    parser.add_argument("--accuracy", action="store_true", help="only accuracy")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--repeats", type=int, default=5, help="runs of each contender")
    parser.add_argument("--quick", action="store_true", help="one run, 60 frames: does it work?")
    parser.add_argument("--out", type=Path, help="Markdown page to write the tables into")
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT.parent / "shared/data/association/MOT17",
        help="folder of MOTChallenge sequences with det/ and gt/",
    )
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    folders = (
        sorted(folder for folder in arguments.data.iterdir() if (folder / "seqinfo.ini").is_file())
        if arguments.data.is_dir()
        else []
    )
    if not folders:
        raise InputError(
            f"--data: expected a folder of MOTChallenge sequences (SEQ/seqinfo.ini, det, gt), "
            f"found none in {arguments.data}"
        )
    warnings.simplefilter("ignore")  # other packages' deprecations, at every run
    command = shlex.join(["python", "tools/benchmarks/packages.py", *_without_paths(sys.argv[1:])])
    both = arguments.speed == arguments.accuracy
    sections = {}
    if arguments.speed or both:
        repeats = 1 if arguments.quick else arguments.repeats
        sections["speed"] = (
            "## Speed beside other packages",
            speed_section(arguments.methods, folders, repeats, arguments.quick),
        )
    if arguments.accuracy or both:
        sections["accuracy"] = (
            "## Accuracy beside other packages",
            accuracy_section(arguments.methods, folders[:1] if arguments.quick else folders),
        )
    for name, (title, text) in sections.items():
        text = f"{title}\n\n{conditions(command)}\n\n{text}"
        print(text + "\n")
        if arguments.out is not None:
            place(arguments.out, f"packages {name}", text)
            progress(f"wrote {arguments.out}")
    return 0


def _without_paths(words: list[str]) -> list[str]:
    """The command line without the folders of this machine."""
    kept, skip = [], False
    for word in words:
        skip, was = word == "--data", skip
        if not (skip or was or word.startswith("--data=")):
            kept.append(word)
    return kept


if __name__ == "__main__":
    sys.exit(run_command(main))
