"""Two and four processes, sharded or not, learn as one with the whole batch does.

Normalisation is in evaluation mode.
"""

import os
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from fairmot_small import small_fairmot
from jde_small import people, small_jde
from ranks import as_rank, run_ranks
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mmdeepmot.engine.sharding import FullySharded

# Of two processes the first gets the people, the second only one without identity and an empty
# image; of four each gets one image.
SHARES = {2: ([0, 3], [1, 2]), 4: ([0], [1], [2], [3])}
MODELS = {"jde": small_jde, "fairmot": small_fairmot}
CASES = [
    ("jde", "UncertaintyWeights", "IdentityCrossEntropyLoss"),
    ("jde", "LossNormWeights", "IdentityCrossEntropyLoss"),
    ("jde", "MGDAUBWeights", "IdentityCrossEntropyLoss"),
    ("jde", "AppOptWeights", "BatchTripletLoss"),
    ("fairmot", "UncertaintyWeights", "IdentityCrossEntropyLoss"),
    ("fairmot", "MGDAUBWeights", "IdentityCrossEntropyLoss"),
    ("fairmot", "LossNormWeights", "BatchTripletLoss"),
]
# Triplets are those of a process's own images: only where one has all people are they the batch's.
OF_FOUR = [case for case in CASES if case[0] == "jde" and case[2] != "BatchTripletLoss"]
SHARDED = OF_FOUR[0]


class Losses(nn.Module):
    """Runs ``loss`` from ``forward``, where DistributedDataParallel hooks in."""

    def __init__(self, model: str, balance: str, loss_id: str) -> None:
        super().__init__()
        build = MODELS[model]
        self.model = build(balance={"type": balance}, loss_id={"type": loss_id}).train()
        for module in self.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()

    def forward(self, images, samples):
        return self.model.loss(images, samples)["loss"]


def images() -> torch.Tensor:
    return torch.randn(4, 3, 96, 128, generator=torch.Generator().manual_seed(7))


def gradients(model: nn.Module) -> dict[str, torch.Tensor]:
    missing = [name for name, p in model.named_parameters() if p.grad is None]
    assert not missing, missing
    return {name: p.grad.clone() for name, p in model.named_parameters()}


def step(model: nn.Module, share: list[int]) -> None:
    """One step of gradient descent on some of the images."""
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
    model(images()[share], [people()[i] for i in share]).backward()
    optimizer.step()


def work_in_group(rank: int, folder: Path, world_size: int, cases: list) -> None:
    share = SHARES[world_size][rank]
    for case in cases:
        model = DistributedDataParallel(Losses(*case), broadcast_buffers=False)
        model(images()[share], [people()[i] for i in share]).backward()
        name = f"{'-'.join(case)}-{rank}-of-{world_size}.pt"
        torch.save(gradients(model.module), folder / name)


def work(rank: int, folder: Path) -> None:
    work_in_group(rank, folder, 4, OF_FOUR)
    sharded = FullySharded(Losses(*SHARDED), units=["model.backbone", "model.neck"])
    step(sharded, SHARES[4][rank])
    weight = sharded.module.model.backbone.conv1.weight
    assert 4 * len(weight.to_local()) == len(weight)
    weights = sharded.module.state_dict()  # gathered by all
    if rank == 0:
        torch.save(weights, folder / "sharded.pt")
    dist.destroy_process_group()
    if rank < 2:  # the first two go on alone
        os.environ["WORLD_SIZE"] = "2"
        meeting = (folder / "meeting").as_uri()
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
        work_in_group(rank, folder, 2, CASES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("ranks")
    run_ranks(__file__, path, 4)
    return path


@pytest.mark.parametrize(
    ("world_size", "case"),
    [(2, case) for case in CASES] + [(4, case) for case in OF_FOUR],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else str(value),
)
def test_several_processes_equal_one(folder, world_size, case):
    whole = Losses(*case)
    order = [i for share in SHARES[world_size] for i in share]
    whole(images()[order], [people()[i] for i in order]).backward()
    expected = gradients(whole)
    for rank in range(world_size):
        file = folder / f"{'-'.join(case)}-{rank}-of-{world_size}.pt"
        found = torch.load(file, weights_only=True)
        for name, gradient in expected.items():
            scale = gradient.abs().max().clamp(min=1e-3)
            torch.testing.assert_close(
                found[name] / scale, gradient / scale, atol=2e-5, rtol=0, msg=name
            )


def test_a_sharded_step_equals_one_of_the_whole(folder):
    whole = Losses(*SHARDED)
    before = {name: value.clone() for name, value in whole.state_dict().items()}
    step(whole, [0, 1, 2, 3])
    found = torch.load(folder / "sharded.pt", weights_only=True)
    assert found.keys() == before.keys()
    assert not torch.equal(
        found["model.backbone.conv1.weight"], before["model.backbone.conv1.weight"]
    )
    for name, value in whole.state_dict().items():
        moved = value - before[name]
        scale = moved.abs().max().clamp(min=1e-5)
        torch.testing.assert_close(
            (found[name] - before[name]) / scale, moved / scale, atol=2e-3, rtol=0, msg=name
        )


if __name__ == "__main__":
    as_rank(work)
