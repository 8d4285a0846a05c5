"""Small single-object trackers learn a clip of ten frames: pairs of its frames, then DeepMOT.

Who is there is detected in the first frame alone; from there on the network carries the tracks.
"""

import numpy as np
import pytest
import torch
from walking_street import as_clip, scores, truth, walk

from mmdeepmot.engine.config import load_config
from mmdeepmot.registry import MODELS

CONFIGS = "configs/_base_/models"
TRACKER = {
    "type": "Tracker",
    "steps": [
        {"type": "Propagate", "states": ["tracked"], "min_score": 0.0},
        {"type": "Birth"},
        {"type": "Confirm", "hits": 1},
    ],
}
FOLLOWERS = {
    "siamrpn": {
        "base": "siamrpn_small",
        "changes": {"choice": "soft"},
        "loss": {"type": "SiamRPNPairLoss", "search_shift": 12.0},
        "steps": (20, 20),
        "rate": 1e-3,
    },
    "goturn": {
        "base": "goturn_small",
        "changes": {},
        "loss": {"type": "GOTURNPairLoss", "crops": 2},
        "steps": (8, 60),
        "rate": 3e-4,
    },
}
"""Steps: on pairs, too few to follow anybody, then by the DeepMOT loss."""


def learn(model, batches, steps: int, rate: float) -> list[float]:
    """Losses of Adam's steps; the rate falls to zero as a cosine does."""
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    values = []
    for step in range(steps):
        losses = model(*batches(step), mode="loss")
        total, _ = model.parse_losses(losses)
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
        optimizer.step()
        schedule.step()
        values.append(float(total))
    return values


def parts(images: torch.Tensor, frames: list, starts: list[int], gap: int):
    """Clips of two frames, ``gap`` apart."""
    samples = [as_clip([frames[start], frames[start + gap]]) for start in starts]
    pairs = torch.stack([images[[start, start + gap]] for start in starts])
    return pairs, samples


@pytest.mark.parametrize("name", FOLLOWERS)
def test_ten_frames_are_learned(name, repository):
    recipe = FOLLOWERS[name]
    base = repository / CONFIGS / f"{recipe['base']}.py"
    follower = load_config(base, check=False).follower
    pair_steps, steps = recipe["steps"]
    common = {
        "follower": {**follower, **recipe["changes"]},
        "tracker": TRACKER,
        "data_preprocessor": {"type": "MOTDataPreprocessor", "std": [1.0] * 3},
    }
    images, boxes = walk()
    frames = truth(boxes)
    torch.manual_seed(0)
    pairs = MODELS.build({"type": "SOTPairModel", "loss": recipe["loss"], **common})
    pairs.init_weights()
    before = scores(pairs, images, boxes)
    assert before["MOTA"] < 60, before
    rng = np.random.default_rng(0)

    def some(_):
        gap = int(rng.integers(1, 4))
        starts = rng.choice(len(frames) - gap, 4, replace=False).tolist()
        return parts(images, frames, starts, gap)

    learn(pairs, some, pair_steps, 3e-3)
    pretrained = scores(pairs, images, boxes)
    assert pretrained["MOTA"] < 60, pretrained
    cfg = load_config(repository / CONFIGS / "deepmot.py", check=False).model
    model = MODELS.build({**cfg, **common})
    model.follower.load_state_dict(pairs.follower.state_dict())
    every = parts(images, frames, list(range(len(frames) - 1)), 1)
    values = learn(model, lambda _: every, steps, recipe["rate"])
    after = scores(model, images, boxes)
    assert np.mean(values[-5:]) < np.mean(values[:5]), values
    assert after["MOTA"] >= 95 and after["IDs"] == 0, (before, pretrained, after)
