"""Distance matrices with optimal assignments, to train and judge matchers: a file (.npz).

    python tools/dataset_converters/make_dhn_matrices.py data/MOT17/train --sequences 'MOT17-*' \\
        --out data/dhn/mot17.npz
    python tools/dataset_converters/make_dhn_matrices.py --synthmot default

Detections (rows) against ground truth (columns) of every frame of MOTChallenge folders, once for
each gate. The file is written whole, at the end. configs/dhn train on data/dhn/synthmot.npz too
where it is there; other files: --cfg-options test_dataloader.dataset.datasets=[FILE.npz].
"""

import argparse
import sys
import time
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmdeepmot.datasets.matrices import pack_matrices, write_matrices
from mmdeepmot.datasets.matrices.convert import MatrixOptions, sequence_matrices
from mmdeepmot.datasets.matrices.distance import DistanceKind, Gate
from mmdeepmot.datasets.mot_challenge import find_sequences
from mmdeepmot.datasets.synthmot.generate import DEFAULT_ROOT, ensure_synthmot
from mmdeepmot.datasets.synthmot.recipe import PRESETS
from mmdeepmot.errors import InputError, run_command

SYNTHMOT_OUT = Path("data/dhn/synthmot.npz")


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("roots", nargs="*", type=Path, help="folders of sequences")
    parser.add_argument("--out", type=Path, help=f"file (with --synthmot: {SYNTHMOT_OUT})")
    parser.add_argument("--names", nargs="+", help="name of each root's matrices (the folder's)")
    parser.add_argument(
        "--synthmot",
        choices=list(PRESETS),
        help="the training streets of this set, generated where missing",
    )
    parser.add_argument(
        "--sequences", nargs="+", metavar="SEQ", default=["*"], help="names or patterns (all)"
    )
    parser.add_argument(
        "--det", nargs="+", default=["det/det.txt"], help="detection files in a sequence's folder"
    )
    parser.add_argument("--min-score", type=float, help="leave out detections below")
    parser.add_argument(
        "--gates", nargs="+", choices=get_args(Gate), default=list(get_args(Gate)), metavar="GATE"
    )
    parser.add_argument(
        "--distance",
        choices=get_args(DistanceKind),
        default="diagonal",
        help="diagonal: as the paper writes; exponential: as its code; centre: as its published "
        "matrices, centres alone",
    )
    parser.add_argument("--keep-order", action="store_true", help="no random order")
    parser.add_argument("--stride", type=int, default=1, help="every so many frames")
    parser.add_argument("--seed", type=int, default=0, help="of random gates and order")
    args = parser.parse_args(arguments)
    if bool(args.roots) == (args.synthmot is not None):
        parser.error("give folders of sequences, or --synthmot PRESET")
    if args.out is None and args.synthmot is None:
        parser.error("--out FILE.npz is needed")
    if args.names is not None and len(args.names) != len(args.roots):
        parser.error(f"--names: expected one for each of {len(args.roots)} folders")
    if args.stride < 1:
        parser.error(f"--stride must be at least 1, got {args.stride}")
    return args


def name_of(root: Path) -> str:
    """Name of a root: its folder's, or the one above for a split (MOT17/train)."""
    folder = root.resolve()
    return folder.parent.name if folder.name in ("train", "test") else folder.name


def make(args: argparse.Namespace) -> None:
    """Read all sequences, write the file."""
    if args.synthmot is not None:
        roots, names = [ensure_synthmot(args.synthmot, DEFAULT_ROOT) / "train"], ["SynthMOT"]
    else:
        roots, names = args.roots, args.names or [name_of(root) for root in args.roots]
    sources = list(dict.fromkeys(names))
    work = [
        (folder, sources.index(name), detections)
        for root, name in zip(roots, names, strict=True)
        for folder in find_sequences(root, args.sequences)
        for detections in args.det
    ]
    distances: list[NDArray] = []
    optimal: list[NDArray] = []
    source: list[int] = []
    start = time.perf_counter()
    for done, (folder, number, detections) in enumerate(work, 1):
        options = MatrixOptions(
            detections,
            args.min_score,
            args.distance,
            args.gates,
            not args.keep_order,
            args.stride,
            args.seed,
        )
        for matrix, best in sequence_matrices(folder, options):
            distances.append(matrix)
            optimal.append(best)
        source += [number] * (len(distances) - len(source))
        spent = time.perf_counter() - start
        print(f"[{done}/{len(work)}] {folder.name}: {len(distances)} matrices, {spent:.0f} s")
    if not distances:
        raise InputError("no frame has both detections and ground truth: nothing was written")
    out = args.out or SYNTHMOT_OUT
    write_matrices(out, pack_matrices(distances, optimal, source, sources))
    sides = np.array([matrix.shape for matrix in distances])
    print(
        f"{out}: {len(distances)} matrices, rows up to {sides[:, 0].max()}, columns up to "
        f"{sides[:, 1].max()}, {sum(int(one.sum()) for one in optimal)} pairs"
    )


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    return run_command(lambda: make(args))


if __name__ == "__main__":
    sys.exit(main())
