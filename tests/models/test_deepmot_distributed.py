"""Two processes have the gradients of one with the whole batch, also where nobody is to follow."""

from pathlib import Path

import pytest
import torch
from ranks import as_rank, run_ranks
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from toy_clips import SINKHORN, clip_sample, frame_sample, toy_clips, toy_model

# The first process gets two clips of three people, the second one of one person and an empty one.
SHARES = ([0, 1], [2, 3])
CASES = {
    "boxes": dict(type="DeepMOTCriterion", matcher=SINKHORN),
    "looks": dict(type="DeepMOTCriterion", matcher=SINKHORN, appearance="term"),
    "smooth_l1": dict(type="SmoothL1Criterion"),
}


class Losses(nn.Module):
    """The sum of the losses from ``forward``, where DistributedDataParallel hooks in."""

    def __init__(self, criterion: dict) -> None:
        super().__init__()
        torch.manual_seed(0)
        start = dict(type="BoxNoise", scale=(1.1, 1.1), shift=(0.0, 0.0))
        self.model = toy_model(criterion=criterion, start=start)
        nn.init.normal_(self.model.follower.head.weight, std=0.02)

    def forward(self, images, samples):
        return self.model.parse_losses(self.model(images, samples, mode="loss"))[0]


def batch(items: list[int]):
    images, samples = toy_clips(4, length=3, seed=3)
    samples[2] = clip_sample([frame_sample(one.gt_instances.bboxes[:1], [0]) for one in samples[2]])
    samples[3] = clip_sample([frame_sample([], [])] * 3)
    return images[items], [samples[item] for item in items]


def work(rank: int, folder: Path) -> None:
    for name, criterion in CASES.items():
        model = DistributedDataParallel(Losses(criterion), broadcast_buffers=False)
        model(*batch(SHARES[rank])).backward()
        gradients = {key: p.grad for key, p in model.module.named_parameters()}
        torch.save(gradients, folder / f"{name}-{rank}.pt")
    nobody = DistributedDataParallel(Losses(CASES["boxes"]), broadcast_buffers=False)
    nobody(*batch([3])).backward()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("ranks")
    run_ranks(__file__, path)
    return path


@pytest.mark.parametrize("name", CASES)
def test_two_processes_equal_one(folder, name):
    whole = Losses(CASES[name])
    whole(*batch([0, 1, 2, 3])).backward()
    for rank in (0, 1):
        found = torch.load(folder / f"{name}-{rank}.pt", weights_only=True)
        for key, parameter in whole.named_parameters():
            assert parameter.grad.any()
            torch.testing.assert_close(found[key], parameter.grad, atol=1e-6, rtol=1e-4, msg=key)


if __name__ == "__main__":
    as_rank(work)
