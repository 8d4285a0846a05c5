"""What following many targets in one batch saves, for any follower.

    python tools/benchmarks/followers.py [CONFIG ...] [--targets 30] [--size 1088x608] [--repeat 5]

Times the encoding of a frame (what does not depend on the targets), then ``advance`` of one target,
of all of them one after another, and of all in one batch. The bars: one batch is twice as fast as
one after another on a CPU; on a GPU it costs less than four times one target.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from jde_loss import seconds
from mmengine.config import Config
from torch import Tensor

from mmdeepmot.errors import InputError
from mmdeepmot.models.mot.follower import Follower, Targets
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
MODELS_FOLDER = ROOT / "configs/_base_/models"
CPU_BAR = 2.0
GPU_BAR = 4.0


@dataclass(frozen=True)
class Times:
    """Seconds of one call each.

    Attributes:
        encode: A frame, whatever the number of targets.
        one: One target.
        serial: All targets, one after another.
        batch: All targets at once.
    """

    encode: float
    one: float
    serial: float
    batch: float

    def meets(self, device: str) -> bool:
        """Whether the bar of this device is met."""
        if device.startswith("cuda"):
            return self.batch < GPU_BAR * self.one
        return self.serial >= CPU_BAR * self.batch


def people(count: int, size: tuple[int, int], device: str) -> Tensor:
    """``(count, 4)`` xyxy px: boxes 40 to 160 px high, within an image of ``size``."""
    draw = torch.Generator().manual_seed(0)
    width, height = size
    tall = torch.empty(count).uniform_(40, min(160, height - 1), generator=draw)
    left = torch.rand(count, generator=draw) * (width - 0.4 * tall)
    top = torch.rand(count, generator=draw) * (height - tall)
    return torch.stack([left, top, left + 0.4 * tall, top + tall], dim=1).to(device)


@torch.no_grad()
def measure(follower: Follower, images: Tensor, boxes: Tensor, repeat: int) -> Times:
    """Times of following ``boxes (N, 4)`` from the first of ``images (2, 3, H, W)`` to the next."""
    device = images.device
    first, second = follower.encode(images)
    ids = torch.arange(len(boxes), device=device)
    targets = follower.start(first, boxes, ids)
    alone = [targets[row : row + 1] for row in range(len(boxes))]

    def encode() -> None:
        follower.encode(images[1:])

    def follow(*groups: Targets) -> None:
        for group in groups:
            follower.advance(second, group)

    return Times(
        encode=seconds(encode, repeat, device),
        one=seconds(lambda: follow(alone[0]), repeat, device),
        serial=seconds(lambda: follow(*alone), repeat, device),
        batch=seconds(lambda: follow(targets), repeat, device),
    )


def build_follower(path: Path) -> Follower:
    """The follower of a config: ``model.follower``, or ``follower`` of a base file.

    Raises:
        InputError: It has none.
    """
    cfg = Config.fromfile(path)
    follower = cfg.get("follower") or (cfg.get("model") or {}).get("follower")
    if not follower:
        raise InputError(f"{path}: expected `model.follower` (or `follower`), found neither")
    return MODELS.build(follower).eval()


def main(argv: list[str] | None = None) -> int:
    """Command line; the exit status is 1 if a bar is not met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("configs", nargs="*", type=Path, metavar="CONFIG")
    parser.add_argument("--targets", type=int, default=30)
    parser.add_argument("--size", default="1088x608", help="width x height of the input")
    parser.add_argument("--repeat", type=int, default=5, help="runs, of which the median counts")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args(argv)
    width, height = (int(side) for side in arguments.size.split("x"))
    names = ("tracktor_r50", "siamrpn", "goturn")
    configs = arguments.configs or [MODELS_FOLDER / f"{name}.py" for name in names]
    print(
        f"{arguments.targets} targets, {arguments.size}, {torch.get_num_threads()} threads, "
        f"{arguments.device}; ms"
    )
    print(
        "| follower | encode | one target | one after another | one batch | saves | batch / one |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    met = True
    for path in configs:
        torch.manual_seed(0)
        follower = build_follower(path).to(arguments.device)
        images = torch.rand(2, 3, height, width, device=arguments.device)
        boxes = people(arguments.targets, (width, height), arguments.device)
        times = measure(follower, images, boxes, arguments.repeat)
        met &= times.meets(arguments.device)
        values = (times.encode, times.one, times.serial, times.batch)
        cells = " | ".join(f"{1e3 * value:.1f}" for value in values)
        saves, cost = times.serial / times.batch, times.batch / times.one
        print(f"| {path.stem} | {cells} | {saves:.1f}x | {cost:.1f} |")
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
