"""The command line that all converters share."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mmdeepmot.converters.plan import Options
from mmdeepmot.converters.planning import make_plan
from mmdeepmot.converters.report import describe, describe_joint, save_report
from mmdeepmot.converters.source import SourceSet
from mmdeepmot.converters.write import write_plan
from mmdeepmot.errors import InputError, run_command

DEFAULT_OUT = "data/joint"
_PROGRESS_SECONDS = 10.0


def make_parser(doc: str | None, source: str = "folder of the data set") -> argparse.ArgumentParser:
    """A parser with the arguments of every converter.

    Args:
        doc: Help text.
        source: Help of the first argument.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help=source)
    parser.add_argument(
        "--out", type=Path, default=Path(DEFAULT_OUT), help=f"output folder ({DEFAULT_OUT})"
    )
    parser.add_argument(
        "--form",
        choices=("lists", "mot"),
        default="lists",
        help="list files with labels_with_ids (default), or MOTChallenge folders",
    )
    parser.add_argument(
        "--images",
        choices=("link", "copy"),
        default="link",
        help="symbolic links to the images (default), or copies",
    )
    parser.add_argument(
        "--ignored",
        choices=("keep", "drop"),
        default="keep",
        help="regions to ignore: rows of class -1 (default; other projects' readers do not know "
        "them), or none",
    )
    parser.add_argument(
        "--verify", action="store_true", help="decode every image, to find broken ones (slow)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="read, check and count everything, write nothing"
    )
    return parser


def convert(args: argparse.Namespace, read: Callable[[], SourceSet]) -> None:
    """Read, plan, write and report.

    What has been written is not written again; files that cannot be read are named at the end,
    after all others have been converted.

    Args:
        args: As :func:`make_parser` parses them.
        read: The reader.

    Raises:
        UserError: See the readers; or a file could not be read.
        OSError: A file cannot be written.
    """
    if not args.source.exists():
        raise FileNotFoundError(
            f"{args.source} (absolute: {args.source.resolve()}): expected the data set, found none"
        )
    progress = _Progress()
    progress.say(f"reading {args.source}")
    options = Options(args.form, args.ignored == "keep", args.verify)
    plan = make_plan(read(), options, progress.of("images checked"))
    written = None
    if not args.dry_run:
        written = write_plan(plan, args.out, args.images, progress.of("files written"))
        save_report(plan, written, args.out, args.form)
    sys.stdout.write(f"{describe(plan, written)}\n")
    joint = describe_joint(args.out) if args.form == "lists" and not args.dry_run else ""
    if joint:
        sys.stdout.write(f"\n{joint}\n")
    if plan.bad_files:
        rest = (
            "All else can be converted; nothing has been written yet"
            if args.dry_run
            else "All else is done; run the command again when they are mended"
        )
        raise InputError(
            f"{len(plan.bad_files)} files could not be read, the first: {plan.bad_files[0]}. {rest}"
        )


def run_converter(args: argparse.Namespace, read: Callable[[], SourceSet]) -> int:
    """:func:`convert` as a command; its exit status."""
    return run_command(lambda: convert(args, read))


class _Progress:
    """Says on stderr how far it is, now and then."""

    def __init__(self) -> None:
        self.said = time.monotonic()

    @staticmethod
    def say(text: str) -> None:
        sys.stderr.write(f"{text}\n")

    def of(self, what: str) -> Callable[[int, int], None]:
        began = time.monotonic()

        def tell(done: int, total: int) -> None:
            now = time.monotonic()
            if now - self.said > _PROGRESS_SECONDS:
                self.said = now
                left = (now - began) / max(1, done) * (total - done)
                self.say(f"{done} of {total} {what}, {left:.0f} s left")

        return tell
