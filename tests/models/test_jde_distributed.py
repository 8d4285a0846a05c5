"""Two processes have the gradients of one with the whole batch (normalisation in eval mode)."""

from pathlib import Path

import pytest
import torch
from fairmot_small import small_fairmot
from jde_small import people, small_jde
from ranks import as_rank, run_ranks
from torch import nn
from torch.nn.parallel import DistributedDataParallel

# The first process gets the people, the second only one without identity and an empty image.
SHARES = ([0, 3], [1, 2])
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


def work(rank: int, folder: Path) -> None:
    for case in CASES:
        model = DistributedDataParallel(Losses(*case), broadcast_buffers=False)
        share = SHARES[rank]
        model(images()[share], [people()[i] for i in share]).backward()
        torch.save(gradients(model.module), folder / f"{'-'.join(case)}-{rank}.pt")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("ranks")
    run_ranks(__file__, path)
    return path


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_two_processes_equal_one(folder, case):
    whole = Losses(*case)
    order = [i for share in SHARES for i in share]
    whole(images()[order], [people()[i] for i in order]).backward()
    expected = gradients(whole)
    for rank in (0, 1):
        found = torch.load(folder / f"{'-'.join(case)}-{rank}.pt", weights_only=True)
        for name, gradient in expected.items():
            scale = gradient.abs().max().clamp(min=1e-3)
            torch.testing.assert_close(
                found[name] / scale, gradient / scale, atol=2e-5, rtol=0, msg=name
            )


if __name__ == "__main__":
    as_rank(work)
