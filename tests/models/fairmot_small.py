"""A small FairMOT, shared by the tests of the model; samples are those of ``jde_small``."""

import torch

from mmdeepmot.models.detectors import FairMOT
from mmdeepmot.registry import MODELS


def small_fairmot_config(**head) -> dict:
    """Config of a FairMOT with ResNet-18, up to stride 4, embeddings of 16, 6 identities."""
    return {
        "type": "FairMOT",
        "backbone": {"type": "ResNet", "depth": 18, "base_channels": 8, "out_indices": (3,),
                     "norm_eval": False},
        "neck": {"type": "CTResNetNeck", "in_channels": 64, "num_deconv_filters": (24, 16, 12),
                 "num_deconv_kernels": (4, 4, 4), "use_dcn": False},
        "bbox_head": {"type": "FairMOTHead", "in_channels": 12, "num_ids": 6, "embed_dims": 16,
                      "feat_channels": 8, **head},
    }  # fmt: skip


def small_fairmot(seed: int = 0, **head) -> FairMOT:
    """The model of :func:`small_fairmot_config`, its weights fixed by ``seed``."""
    torch.manual_seed(seed)
    return MODELS.build(small_fairmot_config(**head))
