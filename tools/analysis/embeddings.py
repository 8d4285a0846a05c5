"""Pictures of what a one-shot tracker's embeddings tell apart.

    python tools/analysis/embeddings.py CONFIG CHECKPOINT --sequence NAME --out DIR
        [--query FRAME:ID] [--frame N]

tsne.png: the embeddings of all people of a sequence in the plane, coloured by identity. It needs
scikit-learn (pip install scikit-learn).
similarity.png: how similar every place of a frame is to a person of another frame (cosine), as in
Fig. 4 of the JDE paper. Of a detector with several scales the highest at every place.

The sequence is one of the config's test set. Frames have the numbers of the files; identities are
numbered from 1 in the order of the ground truth's, as in tsne.png. Without --query a person is
chosen who is clear to see in two frames two seconds apart.

exit status: 0; 1 after an error in what was given (said in one line); 2 for a wrong command line;
130 after Ctrl-C.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from mmengine.device import get_device
from numpy.typing import NDArray

from mmdeepmot.apis.embeddings import (
    SequenceBoxes,
    choose_query,
    embed_boxes,
    load_model,
    open_sequence,
    similarity_maps,
    spread_rows,
)
from mmdeepmot.config_file import find_config
from mmdeepmot.engine.config import OptionAction, load_config
from mmdeepmot.errors import InputError, run_command
from mmdeepmot.evaluation.functional import tpr_at_far
from mmdeepmot.models.mot.tracking_model import TrackingModel
from mmdeepmot.visualization.draw import Image
from mmdeepmot.visualization.embeddings import check_projection, plot_embeddings, project
from mmdeepmot.visualization.similarity import highest, plot_similarity

PICTURES = ("tsne", "similarity")
PORTRAITS = 12


def frame_and_id(text: str) -> tuple[int, int]:
    """``FRAME:ID`` as two numbers."""
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected FRAME:ID, such as 120:7, got {text!r}")
    return int(found[1]), int(found[2])


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return int(text)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config of a model: its path, or name in configs/")
    parser.add_argument("checkpoint", help="weights")
    parser.add_argument("--sequence", required=True, metavar="NAME", help="of the test set")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the pictures")
    parser.add_argument(
        "--query", type=frame_and_id, metavar="FRAME:ID", help="person to look for (chosen)"
    )
    parser.add_argument("--frame", type=positive, metavar="N", help="frame to look in (chosen)")
    parser.add_argument(
        "--pictures", nargs="+", choices=PICTURES, default=PICTURES, help="which to make (both)"
    )
    parser.add_argument(
        "--max-boxes",
        type=positive,
        default=2000,
        metavar="N",
        help="t-SNE of at most so many boxes: every k-th frame (2000)",
    )
    parser.add_argument("--perplexity", type=float, default=30.0, help="of t-SNE (30)")
    parser.add_argument("--seed", type=int, default=0, help="of t-SNE")
    parser.add_argument("--device", help="such as cpu or cuda:0; a GPU if there is one")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=OptionAction,
        metavar="KEY=VALUE",
        help="change values of the config, e.g. test_dataloader.dataset.split=train",
    )
    return parser.parse_args(argv)


def show(args: argparse.Namespace) -> None:
    """Makes the pictures."""
    if "tsne" in args.pictures:
        check_projection()
    if args.perplexity <= 0:
        raise InputError(f"--perplexity must be positive, got {args.perplexity}")
    cfg = load_config(find_config(args.config), args.cfg_options)
    model = load_model(cfg, args.checkpoint, args.device or get_device())
    boxes = open_sequence(cfg, args.sequence)
    args.out.mkdir(parents=True, exist_ok=True)
    if "similarity" in args.pictures:
        show_similarity(model, boxes, args.query, args.frame, args.out / "similarity.png")
    if "tsne" in args.pictures:
        rows = spread_rows(boxes.frames, args.max_boxes)
        show_identities(model, boxes, rows, args.perplexity, args.seed, args.out / "tsne.png")


def show_similarity(
    model: TrackingModel,
    boxes: SequenceBoxes,
    asked: tuple[int, int] | None,
    frame: int | None,
    path: Path,
) -> None:
    """Makes the heat map, and says how near the person and the others are."""
    query = choose_query(boxes, asked, frame)
    identity = int(boxes.identities[query.row])
    number, target = boxes.numbers[boxes.frames[query.row]], boxes.numbers[query.target]
    chosen = "" if asked is not None and frame is not None else " (chosen)"
    print(f"query: identity {identity} of frame {number}, looked for in frame {target}{chosen}")
    there = np.flatnonzero(boxes.frames == query.target)
    embeddings, _ = embed_boxes(model, boxes, np.append(there, query.row))
    similarity = embeddings[:-1] @ embeddings[-1]
    own = boxes.identities[there] == identity
    parts = [
        f"{name} {similarity[mask].max():.2f}"
        for name, mask in (("this person", own), ("the nearest other", ~own))
        if mask.any()
    ]
    said = ", ".join(parts) or "nobody is there"
    maps = similarity_maps(model, boxes, embeddings[-1], query.target)
    plot_similarity(
        path,
        (boxes.image(int(boxes.frames[query.row])), boxes.image(query.target)),
        boxes.bboxes[query.row],
        highest(maps),
        None if query.answer is None else boxes.bboxes[query.answer],
        (f"{boxes.name}, frame {number}: identity {identity}", f"frame {target}: {said}"),
    )
    print(f"similarity: {said}; written to {path}")


def show_identities(
    model: TrackingModel,
    boxes: SequenceBoxes,
    rows: NDArray[np.int64],
    perplexity: float,
    seed: int,
    path: Path,
) -> None:
    """Makes the picture of all embeddings, and says how well they tell identities apart."""
    embeddings, valid = embed_boxes(model, boxes, rows, progress=_progress)
    rows, embeddings = rows[valid], embeddings[valid]
    identities = boxes.identities[rows]
    points = project(embeddings, perplexity, seed)
    title = f"{boxes.name}: {len(rows)} boxes of {len(np.unique(identities))} identities"
    if len(np.unique(identities)) > 1:
        scores = tpr_at_far(embeddings, identities, (0.1,))
        title += f", TPR@FAR=0.1 {scores.tpr[0]:.1f}"
    plot_embeddings(path, points, identities, portraits(boxes, rows), title)
    if not valid.all():
        print(f"{np.count_nonzero(~valid)} boxes have no place in the feature maps: left out")
    print(f"{title}; written to {path}")


def portraits(boxes: SequenceBoxes, rows: NDArray[np.int64]) -> dict[int, Image]:
    """The identities with the most boxes among ``rows``, each where it is clear to see and large.

    Those that are never clear come where they are large.
    """
    identities, counts = np.unique(boxes.identities[rows], return_counts=True)
    often = np.sort(identities[np.argsort(-counts, kind="stable")[:PORTRAITS]])
    found = {}
    for identity in often.tolist():
        own = rows[boxes.identities[rows] == identity]
        size = (boxes.bboxes[own, 2:] - boxes.bboxes[own, :2]).prod(axis=1)
        best = own[np.lexsort((size, boxes.clear[own]))[-1]]
        left, top = np.maximum(np.floor(boxes.bboxes[best, :2]), 0).astype(int)
        right, bottom = np.ceil(boxes.bboxes[best, 2:]).astype(int)
        crop = boxes.image(int(boxes.frames[best]))[top:bottom, left:right]
        if crop.size:
            found[identity] = crop
    return found


def _progress(done: int, total: int) -> None:
    if done == total or done % 40 == 0:
        print(f"{done} of {total} frames", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    return run_command(lambda: show(args))


if __name__ == "__main__":
    sys.exit(main())
