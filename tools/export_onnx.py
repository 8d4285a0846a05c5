"""Writes the detector of a JDE or a FairMOT as an ONNX file, and checks it against torch.

    python tools/export_onnx.py CONFIG [CHECKPOINT] [--out FILE.onnx] [--size WIDTH HEIGHT]

Network and decoding (with non-maximum suppression) for any number of images at once. The file is
for tools/demo.py --backend onnxruntime, or for a program of your own: its outputs are the
detections of all images together, and its metadata say how images are to be prepared
(docs/export.md). Without CHECKPOINT the newest one that was trained with the config is taken;
without --out the file stands beside it.

exit status: 0; 1 after an error in what was given (said in one line), or where ONNX Runtime and
torch differ, or found nothing that could be compared.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmdeepmot.errors import InputError, run_command

if TYPE_CHECKING:
    from mmdeepmot.apis.export import Differences

TOLERANCES = {"bboxes": 0.1, "scores": 1e-3, "embeddings": 1e-3}
"""Largest differences between torch and ONNX Runtime: px of the input, and without unit."""

FEW = 10
"""With fewer detections to compare, all candidates are compared too."""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from mmdeepmot.engine.config import OptionAction

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="config file, or the name of one in configs/")
    parser.add_argument("checkpoint", nargs="?", help="by default the config's newest")
    parser.add_argument("--out", metavar="FILE", help="by default CHECKPOINT with .onnx")
    parser.add_argument(
        "--size",
        nargs=2,
        type=int,
        metavar=("WIDTH", "HEIGHT"),
        help="px of the input, by default that of the test pipeline",
    )
    parser.add_argument(
        "--task",
        choices=("track", "detection"),
        default="track",
        help="whose thresholds: of tracking, or of average precision",
    )
    parser.add_argument("--opset", type=int, default=17, help="version of ONNX's operators (17)")
    parser.add_argument(
        "--images",
        nargs="+",
        metavar="FILE",
        help="compare with torch on these, resized; by default on noise",
    )
    parser.add_argument(
        "--no-check", action="store_true", help="do not compare the file with torch"
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=OptionAction,
        metavar="KEY=VALUE",
        help="change the config, e.g. model.detector.test_cfg.score_thr=0.3",
    )
    return parser.parse_args(argv)


def export(args: argparse.Namespace) -> int:
    """Write and compare; the exit status."""
    from mmdeepmot.apis import find_checkpoint, find_config
    from mmdeepmot.apis.export import (
        compare,
        example_images,
        export_detector,
        input_size,
        with_all_candidates,
    )
    from mmdeepmot.apis.load_model import load_model
    from mmdeepmot.engine.config import load_config

    path = find_config(args.config)
    cfg = load_config(str(path), args.cfg_options)
    checkpoint = args.checkpoint
    if checkpoint is None:
        checkpoint = find_checkpoint(path, cfg.get("work_dir"))
        print(f"newest checkpoint: {checkpoint}", flush=True)
    size = input_size(cfg) if args.size is None else tuple(args.size)
    out = Path(args.out) if args.out else Path(checkpoint).with_suffix(".onnx")
    if out == Path(checkpoint):
        raise InputError(f"--out {out} is the checkpoint itself: name another file")
    model = load_model(cfg, checkpoint, "cpu", lambda _: None)
    export_detector(model, out, size, args.task, args.opset)
    print(f"wrote {out}: {size[0]}x{size[1]} px, task {args.task}, opset {args.opset}", flush=True)
    if args.no_check:
        return 0
    images = example_images(model.data_preprocessor, size, args.images)
    found = compare(model, out, images, args.task)
    print(f"beside torch: {found}")
    if differ(found):
        return 1
    if found.found < FEW:
        model = with_all_candidates(model, args.task)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "candidates.onnx"
            export_detector(model, path, size, args.task, args.opset)
            found = compare(model, path, images, args.task)
        print(f"beside torch, with score_thr 0: {found}")
        if differ(found):
            return 1
    if not found.found:
        print("error: nothing was found to compare: give --images FILE with what it should find")
        return 1
    return 0


def differ(found: "Differences") -> bool:
    """Whether the programs differ by more than rounding; says in what."""
    wrong = [name for name, most in TOLERANCES.items() if getattr(found, name) > most]
    if wrong or found.unmatched > 0.01 * max(found.found, 1):
        print(f"error: ONNX Runtime and torch differ in {', '.join(wrong) or 'what they find'}")
        return True
    return False


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    return run_command(lambda: export(args))


if __name__ == "__main__":
    sys.exit(main())
