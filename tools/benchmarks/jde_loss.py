"""What JDE's loss costs beside its network.

    python tools/benchmarks/jde_loss.py [--size 1088x608] [--boxes 100] [--ids 100] [--repeat 3]

Times, on one image: the network (backbone, neck, head) forward and backward, and the loss part
(targets, all losses, balancing, and their backward down to the head's maps). The bar is 5%.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.structures import InstanceData
from torch import Tensor

from mmdeepmot.models.detectors import JDE
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
BAR = 0.05


def crowd(size: tuple[int, int], boxes: int, ids: int) -> DetDataSample:
    """A data sample with ``boxes`` people of 30 to 300 px height inside ``size`` (w, h)."""
    height = torch.exp(torch.empty(boxes).uniform_(3.4, 5.7))
    half = 0.5 * torch.stack((height / 3, height), dim=1)
    centre = torch.rand(boxes, 2) * torch.tensor(size)
    sample = DetDataSample()
    sample.gt_instances = InstanceData(
        bboxes=torch.cat((centre - half, centre + half), dim=1),
        labels=torch.zeros(boxes, dtype=torch.int64),
        instances_ids=torch.randint(0, ids, (boxes,)),
    )
    return sample


def seconds(function: Callable[[], None], repeat: int, device: torch.device) -> float:
    """Median time of a call, after one to warm up."""
    times = []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        function()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def measure(
    model: JDE, image: Tensor, sample: DetDataSample, repeat: int
) -> tuple[float, float, int]:
    """Seconds of the network and of the loss part, and the number of foreground anchors."""
    head = model.bbox_head
    maps: list[Tensor] = []

    def network() -> None:
        model.zero_grad(set_to_none=True)
        boxes, embeddings = head(model.extract_feat(image))
        maps[:] = [m.detach().requires_grad_() for m in (*boxes, *embeddings)]
        torch.autograd.backward([*boxes, *embeddings], [torch.ones_like(m) for m in maps])

    def loss() -> None:
        half = len(maps) // 2
        losses = head.loss_by_feat(maps[:half], maps[half:], [sample])
        head.balance(losses, maps)[0].backward()

    spent_network = seconds(network, repeat, image.device)
    spent_loss = seconds(loss, 5 * repeat, image.device)
    foreground = len(head.targets(head.grid(maps[: len(maps) // 2]), [sample]).anchors)
    return spent_network, spent_loss, foreground


def main(argv: list[str] | None = None) -> int:
    """Command line; the exit status is 1 if the loss costs more than the bar."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--config", type=Path, default=ROOT / "configs/_base_/models/jde_darknet53.py"
    )
    parser.add_argument("--size", default="1088x608", help="width x height of the input")
    parser.add_argument("--boxes", type=int, default=100, help="people in the image")
    parser.add_argument("--ids", type=int, default=100, help="identities of the classifier")
    parser.add_argument("--repeat", type=int, default=3, help="runs, of which the median counts")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args(argv)
    width, height = (int(side) for side in arguments.size.split("x"))
    torch.manual_seed(0)
    detector = Config.fromfile(arguments.config).model.detector
    detector.bbox_head.num_ids = arguments.ids
    model = MODELS.build(detector).to(arguments.device).train()
    image = torch.rand(1, 3, height, width, device=arguments.device)
    sample = crowd((width, height), arguments.boxes, arguments.ids)
    network, loss, foreground = measure(model, image, sample, arguments.repeat)
    share = loss / network
    print(
        f"{arguments.size}, {arguments.boxes} boxes, {foreground} foreground anchors, "
        f"{arguments.ids} identities, {torch.get_num_threads()} threads, {arguments.device}"
    )
    print(f"network forward and backward {network * 1e3:9.1f} ms")
    print(f"loss forward and backward    {loss * 1e3:9.1f} ms   {share:.1%} (bar {BAR:.0%})")
    return int(share > BAR)


if __name__ == "__main__":
    sys.exit(main())
