"""A Tracktor of a few thousand weights, and what its tests feed it."""

from pathlib import Path

import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config

from mmdeepmot.models.followers import Tracktor
from mmdeepmot.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
SIZE = (96, 160)  # height, width


def tracktor_config(**changes) -> dict:
    """Config of the small network; ``changes`` are arguments of ``Tracktor``."""
    cfg = Config.fromfile(ROOT / "configs/_base_/models/tracktor_r18.py").follower.to_dict()
    detector = cfg["detector"]
    detector["backbone"]["base_channels"] = 8
    detector["neck"].update(in_channels=[8, 16, 32, 64], out_channels=16)
    detector["rpn_head"].update(in_channels=16, feat_channels=16)
    detector["roi_head"]["bbox_roi_extractor"]["out_channels"] = 16
    detector["roi_head"]["bbox_head"].update(in_channels=16, fc_out_channels=32)
    return {**cfg, **changes}


def head_config(dims: int = 8) -> dict:
    """Config of its embedding head."""
    return {"type": "TrackEmbeddingHead", "in_features": 32, "embed_dims": dims}


def make_tracktor(**changes) -> Tracktor:
    """The network, its weights fixed, in test mode; its regression moves boxes."""
    model = MODELS.build(tracktor_config(**changes))
    torch.manual_seed(0)
    model.detector.init_weights()
    head = model.bbox_head
    torch.nn.init.normal_(head.fc_reg.weight, std=0.1)
    torch.nn.init.normal_(head.fc_cls.weight, std=0.3)
    model.eval()
    return model


def images(count: int = 2, seed: int = 0) -> torch.Tensor:
    """``(count, 3, 96, 160)``."""
    return torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(seed))


def sample(**meta) -> DetDataSample:
    """Meta data of an image that is its own input."""
    plain = dict(
        ori_shape=SIZE, img_shape=SIZE, scale_factor=(1.0, 1.0), pad_offset=(0, 0),
        batch_input_shape=SIZE, pad_shape=SIZE, frame_id=0, video_id=0,
    )  # fmt: skip
    return DetDataSample(metainfo={**plain, **meta})
