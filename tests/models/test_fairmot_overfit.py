"""A small FairMOT learns eight frames by heart: boxes and identities."""

import numpy as np
import pytest
import torch

from mmdeepmot.engine.config import load_config
from mmdeepmot.evaluation.functional import DetectionImage, average_precision, tpr_at_far
from mmdeepmot.registry import DATASETS, MODELS

SIZE = (256, 160)
STEPS = 150
RECIPE = {
    **{"train_sequences": 2, "test_sequences": 0, "train_frames": 4, "test_frames": 1},
    **{"width": SIZE[0], "height": SIZE[1], "density": 6.0, "camera_motion": 0.5},
}


@pytest.fixture
def frames(tmp_path):
    """Eight frames of two SynthMOT streets, as the training's data loader yields them."""
    dataset = DATASETS.build(
        {
            "type": "SynthMOTDataset",
            "split": "train",
            "data_root": str(tmp_path),
            "recipe": RECIPE,
            "pipeline": [
                {"type": "LoadFrame"},
                {"type": "LoadTracks"},
                {"type": "Letterbox", "size": SIZE},
                {"type": "PackFrame"},
            ],
        }
    )
    return dataset, [dataset[index] for index in range(len(dataset))]


def build(repository, num_ids: int):
    """The detector and preprocessor of ``fairmot_r18_slim``."""
    config = load_config(repository / "configs/_base_/models/fairmot_r18_slim.py", check=False)
    config.model.detector.bbox_head.num_ids = num_ids
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    return model.train()


def learn(model, batch: dict, steps: int) -> None:
    """Adam with a short warm-up and a cosine; the loss weights learn faster."""
    balance = list(model.detector.bbox_head.balance.parameters())
    others = [p for p in model.parameters() if all(p is not b for b in balance)]
    optimizer = torch.optim.Adam([{"params": others}, {"params": balance, "lr": 1e-2}], lr=2e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda i: min(1, (i + 1) / 10) * 0.5 * (1 + np.cos(np.pi * i / steps))
    )
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        model(**batch, mode="loss")["loss"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
        optimizer.step()
        schedule.step()


def scores(model, batch: dict) -> tuple[float, float]:
    """AP at IoU 0.5 of the detections and TPR at FAR 0.1 of the embeddings, percent."""
    model.eval()
    samples = batch["data_samples"]
    truth = [sample.gt_instances.bboxes for sample in samples]
    with torch.no_grad():
        model.detector.predict(batch["inputs"], samples, rescale=False, task="detection")
        embedded = model.detector.embed(batch["inputs"], truth)
    images = []
    for index, sample in enumerate(samples):
        ignored = sample.get("ignored_instances")
        boxes = truth[index] if ignored is None else torch.cat((truth[index], ignored.bboxes))
        found = sample.pred_instances
        images.append(
            DetectionImage(
                f"frame {index}",
                gt_bboxes=boxes.double().numpy(),
                gt_labels=np.zeros(len(boxes), dtype=np.int64),
                gt_ignore=np.arange(len(boxes)) >= len(truth[index]),
                bboxes=found.bboxes.double().numpy(),
                scores=found.scores.double().numpy(),
                labels=found.labels.numpy(),
            )
        )
    embeddings, valid = (torch.cat(part) for part in zip(*embedded, strict=True))
    assert valid.all()
    ids = torch.cat([sample.gt_instances.instances_ids for sample in samples])
    return (
        float(average_precision(images).average_precision[0]),
        float(tpr_at_far(embeddings.numpy(), ids.numpy(), far=(0.1,)).tpr[0]),
    )


def test_eight_frames_are_learned(frames, repository):
    dataset, items = frames
    samples = [item["data_samples"] for item in items]
    assert len(items) == 8 and sum(len(s.gt_instances) for s in samples) >= 30
    model = build(repository, dataset.num_identities)
    inputs = {"inputs": [item["inputs"] for item in items], "data_samples": samples}
    batch = {**model.data_preprocessor(inputs), "data_samples": samples}
    learn(model, batch, STEPS)
    precision, tpr = scores(model, batch)
    assert precision >= 95 and tpr >= 95, (precision, tpr)
