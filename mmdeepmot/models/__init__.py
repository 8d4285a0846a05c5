"""Networks. Importing this package registers every model, and makes loading of weights safe."""

from mmdeepmot.engine import checkpoint  # noqa: F401  (init_cfg=dict(type='Pretrained', ...))
from mmdeepmot.models import (
    backbones,
    detectors,
    followers,
    heads,
    losses,
    matchers,
    mot,
    necks,
    reid,
    sot,
    sot_training,
    utils,
)
from mmdeepmot.models.data_preprocessor import MOTDataPreprocessor

__all__ = [
    "MOTDataPreprocessor",
    "backbones",
    "detectors",
    "followers",
    "heads",
    "losses",
    "matchers",
    "mot",
    "necks",
    "reid",
    "sot",
    "sot_training",
    "utils",
]
