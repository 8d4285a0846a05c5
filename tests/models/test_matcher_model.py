"""A matcher with its loss and its results, and the configs of configs/dhn."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mmdeepmot.apis.evaluate import check_tasks, needs_checkpoint
from mmdeepmot.datasets import CrowdMatrices, RandomMatrices
from mmdeepmot.datasets.matrices import pad_matrices
from mmdeepmot.engine.config import ConfigError, load_config
from mmdeepmot.errors import InputError
from mmdeepmot.models.losses import focal_assignment_loss
from mmdeepmot.models.matchers import LogitMatcher, Matcher
from mmdeepmot.models.mot import MatcherModel
from mmdeepmot.registry import MODELS

OPTIMIZERS = {name: getattr(torch.optim, name) for name in ("RMSprop", "Adam", "AdamW")}
FOLDER = Path(__file__).parents[2] / "configs" / "dhn"
CONFIGS = sorted(FOLDER.rglob("*.py"))


class Near(Matcher):
    """1 where a pair is near."""

    def match(self, distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        return (distances < 0.1).float()


class Slope(LogitMatcher):
    """A line through the distances."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(-1.0))

    def score(self, distances: Tensor, row_mask: Tensor, col_mask: Tensor) -> Tensor:
        return 1 + self.slope * distances.clamp(max=2)


def model_of(matcher: Matcher) -> MatcherModel:
    model = MatcherModel(dict(type="Hungarian"))
    model.matcher = matcher
    return model


@pytest.fixture
def batch():
    data = CrowdMatrices(30, max_side=12)
    return pad_matrices([data[at] for at in range(6)])


def test_loss_by_logits_and_without(batch):
    known = batch["data_samples"]
    allowed = batch["inputs"] <= 1
    model = model_of(Slope())
    loss = model(**batch, mode="loss")["loss"]
    soft = model(**batch)
    assert soft.shape == batch["inputs"].shape
    expected = focal_assignment_loss(soft, known.optimal, known.valid, allowed=allowed)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    loss.backward()
    assert model.matcher.slope.grad != 0
    model = model_of(Near())
    soft = (batch["inputs"] < 0.1).float()
    expected = focal_assignment_loss(soft, known.optimal, known.valid)
    assert model(**batch, mode="loss")["loss"].item() == pytest.approx(expected.item())


def test_results_have_no_padding(batch):
    data = CrowdMatrices(30, max_side=12)
    results = model_of(Near()).eval()(**batch, mode="predict")
    assert len(results) == 6 and len({result.seconds for result in results}) == 1
    for at, result in enumerate(results):
        assert torch.equal(result.soft, (data[at]["inputs"] < 0.1).float())
        assert torch.equal(result.optimal, data[at]["data_samples"])
        assert result.source == "crowd" and result.seconds > 0


def test_modes_and_tasks(batch):
    model = model_of(Near())
    assert model(torch.rand(2, 3, 4)).shape == (2, 3, 4)
    with pytest.raises(InputError, match="mode 'loss' needs data_samples"):
        model(batch["inputs"], mode="loss")
    with pytest.raises(ValueError, match="got 'train'"):
        model(**batch, mode="train")
    model.set_task("assignment")
    with pytest.raises(InputError, match="asked for 'assignment', got 'track'"):
        model.set_task("track")


def test_the_batch_survives_the_preprocessor(batch):
    data = model_of(Near()).data_preprocessor(batch, training=True)
    assert type(data["data_samples"]) is type(batch["data_samples"])
    assert torch.equal(data["data_samples"].valid, batch["data_samples"].valid)


# --------------------------------------------------------------------------------------- configs


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_is_complete_and_its_matcher_makes_a_step(path):
    cfg = load_config(path)
    check_tasks(cfg, ["assignment"])
    parts = ("optim_wrapper", "param_scheduler", "train_cfg", "val_evaluator", "test_evaluator")
    assert all(cfg.get(part) for part in parts)
    for stage in ("train", "val", "test"):
        loader = cfg[f"{stage}_dataloader"]
        assert loader.collate_fn.type == "pad_matrices"
        assert loader.batch_sampler.type == "SizeBatchSampler"
    pretrained = bool(cfg.model.matcher.get("pretrained"))
    if "hidden" not in cfg.model.matcher and cfg.model.matcher.type == "DHN" and not pretrained:
        cfg.model.matcher.hidden = 8  # the paper's 256 take seconds
    model = MODELS.build(cfg.model).train()
    data = RandomMatrices(4, max_side=5)
    data_batch = pad_matrices([data[at] for at in range(4)])
    loss = model(**data_batch, mode="loss")["loss"]
    assert torch.isfinite(loss)
    parameters = list(model.parameters())
    assert needs_checkpoint(cfg) == (bool(parameters) and not pretrained)
    if parameters:
        loss.backward()
        optimizer = OPTIMIZERS[cfg.optim_wrapper.optimizer.type](parameters, lr=1e-3)
        optimizer.step()
        assert all(torch.isfinite(p).all() for p in parameters)


def test_five_variants_of_the_paper():
    matchers = [
        load_config(path, check=False).model.matcher
        for path in FOLDER.glob("dhn_*.py")
        if not path.stem.endswith("_mot")
    ]
    found = {(m.type, m.get("order"), m.get("cell")) for m in matchers}
    assert found == {
        ("ConvDHN", None, None),
        *(("DHN", order, cell) for order in ("sequential", "parallel") for cell in ("gru", "lstm")),
    }


def test_the_paper_s_schedule():
    cfg = load_config(next(path for path in CONFIGS if path.stem == "dhn_seq_gru"))
    assert cfg.optim_wrapper.optimizer == dict(type="RMSprop", lr=3e-4)
    (schedule,) = cfg.param_scheduler
    assert (schedule.step_size, schedule.gamma, schedule.by_epoch) == (20000, 0.95, False)
    assert cfg.train_cfg.max_epochs == 20 and cfg.model.loss.gamma == 2
    assert cfg.train_dataloader.dataset.length == 114_483


def test_what_lacks_a_matcher_is_said():
    jde = load_config(CONFIGS[0].parents[1] / "jde" / "jde_r18_synthmot.py")
    with pytest.raises(ConfigError, match=r"task 'assignment' needs `model\.matcher` in .*jde_r18"):
        check_tasks(jde, ["assignment"])
    assert needs_checkpoint(jde)
    dhn = load_config(CONFIGS[0].with_name("dhn_seq_gru.py"), {"model.matcher.pretrained": True})
    assert not needs_checkpoint(dhn)
    with pytest.raises(ConfigError, match=r"task 'track' needs `model\.tracker`"):
        check_tasks(dhn, ["track"])
