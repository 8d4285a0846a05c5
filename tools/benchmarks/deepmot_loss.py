"""What the DeepMOT loss costs without its matcher.

    python tools/benchmarks/deepmot_loss.py [--frames 10] [--tracks 50] [--objects 50] [--clips 1]

Times loss forward and backward, down to the distances and the assignment, of clips of crowds in
which tracks and objects come and go, and prints the share of the distances' own (boxes to matrix,
forward and backward). The bar for the loss of one clip of 10 frames of 50 x 50 is 10 ms on one
thread.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from torch import Tensor

from mmdeepmot.models.losses import DeepMOTLoss, box_distance

BAR = 0.010
SIZE = (1920, 1080)


def crowd(clips: int, frames: int, count: int, generator: torch.Generator) -> Tensor:
    """Boxes ``(B, T, count, 4)`` xyxy px of people who walk."""
    corner = torch.rand((clips, 1, count, 2), generator=generator) * torch.tensor(SIZE)
    step = torch.randn((clips, 1, count, 2), generator=generator) * 5
    corner = corner + step * torch.arange(frames)[:, None, None]
    height = 50 + 150 * torch.rand((clips, 1, count, 1), generator=generator)
    size = torch.cat((height / 3, height), dim=-1)
    return torch.cat((corner, corner + size), dim=-1)


def identities(clips: int, frames: int, count: int, generator: torch.Generator) -> Tensor:
    """Ids ``(B, T, count)`` in changing order; a tenth is absent (-1), and others appear."""
    order = torch.rand((clips, frames, count + count // 10), generator=generator).argsort(dim=-1)
    absent = torch.rand((clips, frames, count), generator=generator) < 0.1
    return order[..., :count].masked_fill(absent, -1)


def seconds(function: Callable[[], None], repeat: int, device: torch.device) -> tuple[float, float]:
    """Median and least time of a call, after three to warm up."""
    times = []
    for _ in range(repeat + 3):
        start = time.perf_counter()
        function()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times[3:]), min(times[3:])


def measure(
    shape: tuple[int, int, int, int], repeat: int, device: torch.device
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Seconds (median, least) of the loss and of the distances of ``shape`` (B, T, N, M)."""
    clips, frames, tracks, objects = shape
    generator = torch.Generator().manual_seed(0)
    boxes = crowd(clips, frames, tracks, generator).to(device).requires_grad_()
    truth = crowd(clips, frames, objects, generator).to(device)
    rows = identities(clips, frames, tracks, generator).to(device)
    columns = identities(clips, frames, objects, generator).to(device)
    distances = box_distance(boxes, truth, SIZE).detach().requires_grad_()
    assignment = (-distances.detach() / 0.02).softmax(dim=-1).requires_grad_()
    loss = DeepMOTLoss()

    def of_loss() -> None:
        values, _ = loss(distances, assignment, rows, columns)
        (values["loss_dmota"] + values["loss_dmotp"]).backward()

    def of_distances() -> None:
        box_distance(boxes, truth, SIZE).sum().backward()

    return seconds(of_loss, repeat, device), seconds(of_distances, repeat, device)


def main(argv: list[str] | None = None) -> int:
    """Command line; the exit status is 1 if the loss costs more than the bar."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=1)
    parser.add_argument("--frames", type=int, default=10, help="of a clip")
    parser.add_argument("--tracks", type=int, default=50, help="in each frame")
    parser.add_argument("--objects", type=int, default=50, help="in each frame")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=200, help="runs, of which the median counts")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    shape = (arguments.clips, arguments.frames, arguments.tracks, arguments.objects)
    loss, distances = measure(shape, arguments.repeat, torch.device(arguments.device))
    print(
        f"{shape[0]} clip(s) of {shape[1]} frames, {shape[2]} tracks x {shape[3]} objects each, "
        f"{arguments.threads} thread(s), {arguments.device}; median (least) of {arguments.repeat}"
    )
    for name, (median, least) in (("loss", loss), ("distances", distances)):
        bar = f"   (bar {BAR * 1e3:.0f} ms a clip)" if name == "loss" else ""
        print(f"{name:10}forward and backward {median * 1e3:8.2f} ms ({least * 1e3:.2f}){bar}")
    return int(loss[0] > BAR * shape[0])


if __name__ == "__main__":
    sys.exit(main())
