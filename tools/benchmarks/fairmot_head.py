"""What FairMOT's decoding and targets cost beside its network.

    python tools/benchmarks/fairmot_head.py [--config CONFIG] [--size 1088x608] [--repeat 5]

Times the network (backbone, neck, heatmap) on one image; decoding, from the heatmap to boxes and
embeddings, with as many peaks as the settings allow; and the targets of a batch of 4. The bars are
a tenth of the network, and 50 ms.
"""

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from jde_loss import crowd, seconds
from mmdet.structures import DetDataSample
from mmengine.config import Config
from torch import Tensor

from mmdeepmot.models.detectors import FairMOT
from mmdeepmot.models.heads.center_decode import find_peaks
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
DECODE_BAR = 0.1
TARGETS_BAR = 0.05
BATCH = 4


@dataclass(frozen=True)
class Times:
    """Seconds of one call each.

    Attributes:
        network: Backbone, neck and heatmap.
        decoding: Heatmap to boxes, scores and embeddings.
        targets: Targets of the batch.
        peaks: Number of peaks that were decoded.
    """

    network: float
    decoding: float
    targets: float
    peaks: int


@torch.no_grad()
def measure(model: FairMOT, image: Tensor, crowds: list[DetDataSample], repeat: int) -> Times:
    """Times of one image, and of the targets of ``crowds``."""
    head, device = model.bbox_head, image.device
    # Noise has thousands of peaks: all that the settings admit are decoded.
    head.settings = {
        name: replace(settings, score_thr=0.0) for name, settings in head.settings.items()
    }
    feature = model.extract_feat(image)[0]
    heatmap = torch.randn(1, head.num_classes, *feature.shape[-2:], device=device)
    sample = DetDataSample(metainfo={"scale_factor": (1.0, 1.0), "pad_offset": (0.0, 0.0)})

    def network() -> None:
        head.heatmap(model.extract_feat(image)[0])

    def decode() -> None:
        head.predict_by_heatmap(heatmap, feature, [sample])

    def targets() -> None:
        head.targets((feature.shape[-2], feature.shape[-1]), crowds)

    return Times(
        network=seconds(network, repeat, device),
        decoding=seconds(decode, 4 * repeat, device),
        targets=seconds(targets, 4 * repeat, device),
        peaks=find_peaks(heatmap, head.settings["track"].max_per_img, 0.0).counts[0],
    )


def main(argv: list[str] | None = None) -> int:
    """Command line; the exit status is 1 if a bar is not met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--config", type=Path, default=ROOT / "configs/_base_/models/fairmot_dla34.py"
    )
    parser.add_argument("--size", default="1088x608", help="width x height of the input")
    parser.add_argument("--boxes", type=int, default=100, help="people in an image")
    parser.add_argument("--repeat", type=int, default=5, help="runs, of which the median counts")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args(argv)
    width, height = (int(side) for side in arguments.size.split("x"))
    torch.manual_seed(0)
    config = Config.fromfile(arguments.config).model
    config.detector.bbox_head.num_ids = 100
    detector = MODELS.build(config.detector).to(arguments.device).eval()
    image = torch.rand(1, 3, height, width, device=arguments.device)
    if config.data_preprocessor.get("channels_last"):
        image = image.to(memory_format=torch.channels_last)
    crowds = [crowd((width, height), arguments.boxes, 100) for _ in range(BATCH)]
    times = measure(detector, image, crowds, arguments.repeat)
    share = times.decoding / times.network
    print(f"{arguments.size}, {torch.get_num_threads()} threads, {arguments.device}")
    print(f"network forward           {times.network * 1e3:9.1f} ms")
    print(
        f"decoding, {times.peaks:4d} peaks      {times.decoding * 1e3:9.1f} ms   {share:.1%} "
        f"(bar {DECODE_BAR:.0%})"
    )
    print(
        f"targets, {BATCH} x {arguments.boxes:4d} boxes   {times.targets * 1e3:9.1f} ms   "
        f"(bar {TARGETS_BAR * 1e3:.0f} ms)"
    )
    return int(share > DECODE_BAR or times.targets > TARGETS_BAR)


if __name__ == "__main__":
    sys.exit(main())
