"""Weights in foreign formats."""

from mmdeepmot.models.utils.darknet_weights import (
    DarknetPretrainedInit,
    load_darknet_weights,
    read_darknet_weights,
)
from mmdeepmot.models.utils.published_fairmot import DLAPretrainedInit, convert_published_fairmot
from mmdeepmot.models.utils.published_jde import convert_published_jde

__all__ = [
    "DLAPretrainedInit",
    "DarknetPretrainedInit",
    "convert_published_fairmot",
    "convert_published_jde",
    "load_darknet_weights",
    "read_darknet_weights",
]
