"""Tracks a video and shows or writes what it finds.

    python tools/demo.py INPUT CONFIG [--checkpoint FILE] [--out out.mp4] [--txt out.txt] [--show]
    python tools/demo.py INPUT CONFIG --backend onnxruntime [--checkpoint FILE.onnx]

INPUT is a video file, a folder of images (or a MOTChallenge sequence folder), or a camera index.
CONFIG is a file, or the name of one in configs/. Without --checkpoint the newest one that was
trained with the config is taken; with --backend onnxruntime what tools/export_onnx.py has written
beside it. Without --out, --txt and --show the video goes to
work_dirs/CONFIG/INPUT.mp4. Ctrl-C ends it; what has been tracked is kept.
"""

import argparse
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TextIO

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmdeepmot.errors import INTERRUPTED, run_command


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    from mmdeepmot.engine.config import OptionAction

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", help="video file, folder of images, or camera index")
    parser.add_argument("config", help="config file, or the name of one in configs/")
    parser.add_argument("--checkpoint", metavar="FILE", help="by default the config's newest")
    parser.add_argument(
        "--backend",
        choices=("torch", "onnxruntime"),
        default="torch",
        help="what runs the detector; onnxruntime: a file of tools/export_onnx.py",
    )
    parser.add_argument("--out", metavar="MP4", help="video with boxes, ids and trails")
    parser.add_argument("--txt", metavar="TXT", help="tracks as MOTChallenge text")
    parser.add_argument("--show", action="store_true", help="show in a window; q ends it")
    parser.add_argument("--device", help="such as cpu or cuda:0; by default a GPU if there is one")
    parser.add_argument(
        "--batch-size", type=int, metavar="T", help="frames at once (default 4; camera 1)"
    )
    parser.add_argument("--max-frames", type=int, metavar="N", help="stop after N frames")
    parser.add_argument("--fps", type=float, help="frames per second instead of the input's own")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=OptionAction,
        metavar="KEY=VALUE",
        help="change the config",
    )
    return parser.parse_args(argv)


class Progress:
    """One line that says how far the work is, how fast, and how long it will take.

    Args:
        total: Frames in all, None if nobody knows.
        out: Where to write; a terminal gets one changing line, a file a line every ten seconds.
    """

    def __init__(self, total: int | None, out: TextIO = sys.stderr) -> None:
        self.total = total
        self.count = 0
        self._out = out
        self._interactive = out.isatty()
        self._period = 0.2 if self._interactive else 10.0
        self._start = self._shown = time.perf_counter()

    def advance(self, tracks: int) -> None:
        """Counts one frame, with its number of tracks."""
        self.count += 1
        now = time.perf_counter()
        if now - self._shown >= self._period:
            self._shown = now
            line = self.line(now - self._start, tracks)
            self._out.write(f"\r{line}\033[K" if self._interactive else f"{line}\n")
            self._out.flush()

    def line(self, seconds: float, tracks: int) -> str:
        """The line after so many seconds."""
        rate = self.count / seconds if seconds > 0 else 0.0
        done = f"frame {self.count}"
        left = ""
        if self.total:
            done += f"/{self.total} ({self.count / self.total:.0%})"
            if rate > 0:
                left = f", {_clock((self.total - self.count) / rate)} left"
        return f"{done}  {tracks} tracks  {rate:.1f} frames/s{left}"

    def finish(self) -> str:
        """Ends the line; gives the summary."""
        if self._interactive:
            self._out.write("\r\033[K")
        seconds = time.perf_counter() - self._start
        rate = self.count / seconds if seconds > 0 else 0.0
        return f"{self.count} frames in {_clock(seconds)} ({rate:.1f} frames/s)"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def run(args: argparse.Namespace) -> int:
    """Tracks; 0, or 130 where the user ended it."""
    from mmdeepmot.apis import MOTInferencer, find_checkpoint, find_config
    from mmdeepmot.engine.config import load_config
    from mmdeepmot.io.video import open_video

    path = find_config(args.config)
    cfg = load_config(str(path), args.cfg_options)
    checkpoint = args.checkpoint
    if checkpoint is None:
        checkpoint = find_checkpoint(path, cfg.get("work_dir"))
        if args.backend == "onnxruntime":
            checkpoint = checkpoint.with_suffix(".onnx")
        print(f"newest checkpoint: {checkpoint}", flush=True)
    out = args.out
    with open_video(args.input, fps=args.fps, read_ahead=8) as source:
        if out is None and args.txt is None and not args.show:
            out = str(Path("work_dirs") / path.stem / f"{source.name}.mp4")
        inferencer = MOTInferencer(cfg, checkpoint, args.device, args.backend)
        total = source.length
        if args.max_frames is not None:
            total = min(args.max_frames, total or args.max_frames)
        width, height = source.size
        print(
            f"tracking {source.name}: {width}x{height} px, {source.fps:g} frames/s, "
            f"{'no end' if total is None else f'{total} frames'}, on {inferencer.device}",
            flush=True,
        )
        progress = Progress(total)
        results = inferencer.run(
            source, out, args.txt, args.show, args.batch_size, args.max_frames, args.fps
        )
        interrupted = False
        try:
            with closing(results):
                for result in results:
                    progress.advance(len(result))
        except KeyboardInterrupt:
            interrupted = True
        finally:
            print(progress.finish())
            for written in (out, args.txt):
                if written is not None and progress.count and Path(written).is_file():
                    print(f"wrote {written}", flush=True)
    return INTERRUPTED if interrupted else 0


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    return run_command(lambda: run(args))


if __name__ == "__main__":
    sys.exit(main())
