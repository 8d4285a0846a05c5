"""FairMOT: its configs, its input, independence of the batch, and the commands from end to end."""

from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from fairmot_small import small_fairmot, small_fairmot_config
from jde_small import people, sample

from mmdeepmot.engine.checkpoint import load_checkpoint
from mmdeepmot.engine.config import load_config
from mmdeepmot.io.mot import read_mot_text
from mmdeepmot.models.heads.fairmot_head import center_settings
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).parents[2]
BASES = ["fairmot_r18", "fairmot_r18_slim"]
TINY = """
_base_ = [
    "{configs}/_base_/models/fairmot_r18_slim.py",
    "{configs}/_base_/datasets/mot_challenge.py",
    "{configs}/_base_/schedules/fairmot_30e.py",
    "{configs}/_base_/trackers/fairmot.py",
    "{configs}/_base_/default_runtime.py",
]
def sized(pipeline):
    return [{{**step, "size": {size}}} if "size" in step else step for step in pipeline]
street = dict(_delete_=True, type="MOTChallengeDataset", data_root="street")
local = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(
    batch_size=4, **local, dataset=dict(**street, pipeline=sized(_base_.train_pipeline))
)
test_dataloader = dict(**local, dataset=dict(
    **street, pipeline=sized(_base_.test_pipeline), view="video", clip_length=4, test_mode=True
))
val_dataloader = val_cfg = val_evaluator = None
effective_batch_size = 4
train_cfg = dict(max_epochs=1)
model = dict(
    tracker=_base_.tracker,
    detector=dict(
        backbone=dict(base_channels=8),
        neck=dict(in_channels=(8, 16, 32), widths=(16, 8)),
        bbox_head=dict(in_channels=8, feat_channels=8, embed_dims=16),
        test_cfg=dict(score_thr=0.0, max_per_img=5, min_area=0),
    ),
)
del sized
"""


@pytest.mark.parametrize("name", BASES)
def test_config_makes_a_step(name):
    config = load_config(ROOT / f"configs/_base_/models/{name}.py", check=False).model
    config.detector.bbox_head.num_ids = 6
    model = MODELS.build(config).train()
    losses = model(torch.rand(2, 3, 64, 64), people()[:2], mode="loss")
    losses["loss"].backward()
    assert torch.isfinite(losses["loss"]) and losses["id"] > 0
    maps = model(torch.rand(1, 3, 64, 96), mode="tensor")
    sizes = {"wh": 2, "ltrb": 4}[model.detector.bbox_head.box]
    assert [tuple(m.shape) for m in maps] == [(1, c, 16, 24) for c in (1, 2, sizes, 128)]


def test_the_quick_config_is_the_demo_s_but_for_the_model_and_its_tracker():
    mine, demo = (
        load_config(ROOT / "configs" / name)
        for name in ("fairmot/fairmot_r18_synthmot.py", "jde/jde_r18_synthmot.py")
    )
    differ = {key for key in {*mine, *demo} if mine.get(key) != demo.get(key)}
    assert differ == {"model", "tracker"}
    assert mine.model.tracker == mine.tracker
    assert mine.model.data_preprocessor == demo.model.data_preprocessor


def test_the_schedule_is_the_paper_s():
    config = load_config(ROOT / "configs/_base_/schedules/fairmot_30e.py", check=False)
    assert config.effective_batch_size == 12 and config.train_cfg.max_epochs == 30
    assert config.optim_wrapper.optimizer == {"type": "Adam", "lr": 1e-4}
    assert config.param_scheduler == [{"type": "MultiStepLR", "milestones": [20, 27], "gamma": 0.1}]


def test_input_must_fit_the_backbone_and_the_map_the_head():
    with pytest.raises(ValueError, match="multiples of 32, got 96x100"):
        small_fairmot().extract_feat(torch.zeros(1, 3, 96, 100))
    with pytest.raises(ValueError, match=r"stride 8 and expects one feature map of 12x16 .*24x32"):
        small_fairmot(stride=8).extract_feat(torch.zeros(1, 3, 96, 128))
    several = small_fairmot_config()
    several["neck"] = None
    several["backbone"]["out_indices"] = (0, 3)
    with pytest.raises(ValueError, match=r"expects one feature map of 24x32 .* gave 24x32, 3x4"):
        MODELS.build(several).extract_feat(torch.zeros(1, 3, 96, 128))
    free = MODELS.build({**small_fairmot_config(), "size_divisor": 4})
    with pytest.raises(ValueError, match="backbone and neck gave 32x32"):
        free.extract_feat(torch.zeros(1, 3, 100, 100))


def firing(seed: int):
    """A model that has not learned anything and detects something, of about 16 px."""
    model = small_fairmot(seed=seed)
    head = model.bbox_head
    head.settings = center_settings(
        {"score_thr": 0.0, "max_per_img": 20, "min_area": 0, "max_aspect": None}
    )
    head.offset.set_bias(0.5)
    head.size.set_bias(4.0)
    return model.eval()


def test_results_do_not_depend_on_the_batch():
    model = firing(seed=3)
    images = torch.randn(4, 3, 96, 128)
    with torch.no_grad():
        together = model.predict(images, [sample([]) for _ in range(4)])
        alone = [model.predict(image[None], [sample([])])[0] for image in images]
    assert sum(len(one.pred_instances) for one in alone) > 20
    for a, b in zip(together, alone, strict=True):
        for key in ("bboxes", "scores", "embeddings"):
            torch.testing.assert_close(
                a.pred_instances[key], b.pred_instances[key], atol=1e-3, rtol=0
            )


def test_embed_equals_predict_at_its_own_centres():
    model = firing(seed=1)
    torch.nn.init.zeros_(model.bbox_head.offset.convolutions()[1].weight)
    torch.nn.init.zeros_(model.bbox_head.size.convolutions()[1].weight)
    images = torch.randn(2, 3, 96, 128)
    with torch.no_grad():
        found = [s.pred_instances for s in model.predict(images, [sample([]), sample([])])]
        again = model.embed(images, [f.bboxes for f in found])
    for one, (embeddings, valid) in zip(found, again, strict=True):
        assert len(one) > 3 and valid.all()
        torch.testing.assert_close(embeddings, one.embeddings)


def test_a_few_steps_learn_the_batch():
    torch.manual_seed(0)
    model = small_fairmot(balance={"type": "UniformWeights"}).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    images, truth = torch.randn(2, 3, 96, 128), [people()[0], people()[3]]
    history = []
    for _ in range(50):
        optimizer.zero_grad()
        losses = model.loss(images, truth)
        losses["loss"].backward()
        optimizer.step()
        history.append({key: value.item() for key, value in losses.items()})
    for part in ("hm", "off", "size", "id"):
        assert history[-1][part] < 0.5 * history[0][part], part


def test_commands_from_end_to_end(tmp_path, monkeypatch, capsys):
    """Training, test of everything, and demo, with a tiny network on a tiny street."""
    monkeypatch.chdir(tmp_path)
    tiny.write_street(tmp_path / "street")
    Path("tiny_fairmot.py").write_text(TINY.format(configs=ROOT / "configs", size=tiny.SIZE))
    train, test, demo = (tiny.load_tool(name) for name in ("train", "test", "demo"))
    assert tiny.call(train, "tiny_fairmot.py --work-dir run --device cpu") == 0
    said = capsys.readouterr().out
    assert all(f"{part}: " in said for part in ("hm", "off", "size", "id", "w/det"))
    checkpoint = load_checkpoint("run/epoch_1.pth")["state_dict"]
    classifier = checkpoint["detector.bbox_head.loss_id.classifier.weight"]
    assert classifier.shape == (2 * tiny.IDENTITIES, 16)
    checkpoint["detector.bbox_head.heatmap.2.bias"] += 5  # it fires, although it has learned little
    checkpoint["detector.bbox_head.size.2.bias"] += 4
    torch.save({"state_dict": checkpoint}, "firing.pth")
    assert (
        tiny.call(
            test,
            "tiny_fairmot.py firing.pth --eval track detection embedding --out s",
        )
        == 0
    )
    said = capsys.readouterr().out
    assert all(column in said for column in ("MOTA", "AP@0.5", "TPR@FAR=0.1"))
    assert (
        tiny.call(
            demo,
            "street/A/img1 tiny_fairmot.py --checkpoint firing.pth --device cpu --txt a.txt "
            "--out a.mp4",
        )
        == 0
    )
    rows = read_mot_text("a.txt", "result")
    assert len(np.unique(rows.frames)) >= 3 and rows.ids.min() >= 1
