"""Matchers: from the distances of tracks and objects to a soft assignment."""

from mmdeepmot.models.matchers.base import LogitMatcher, Matcher, MatchInput, check_input
from mmdeepmot.models.matchers.dhn import DHN
from mmdeepmot.models.matchers.dhn_conv import ConvDHN
from mmdeepmot.models.matchers.hungarian import BlackBoxHungarian, Hungarian, PerturbedHungarian
from mmdeepmot.models.matchers.interior_point import InteriorPoint
from mmdeepmot.models.matchers.pretrained import load_pretrained, read_weights, save_weights
from mmdeepmot.models.matchers.sinkhorn import Sinkhorn

__all__ = [
    "DHN",
    "BlackBoxHungarian",
    "ConvDHN",
    "Hungarian",
    "InteriorPoint",
    "LogitMatcher",
    "MatchInput",
    "Matcher",
    "PerturbedHungarian",
    "Sinkhorn",
    "check_input",
    "load_pretrained",
    "read_weights",
    "save_weights",
]
