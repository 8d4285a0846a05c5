"""Transforms of frames, boxes and identities."""

from mmdeepmot.datasets.transforms.color import HSVJitter
from mmdeepmot.datasets.transforms.crop import CropBox
from mmdeepmot.datasets.transforms.loading import LoadFrame, LoadTracks, PackFrame
from mmdeepmot.datasets.transforms.spatial import (
    Letterbox,
    RandomAffineLetterbox,
    RandomFlipTracks,
)

__all__ = [
    "CropBox",
    "HSVJitter",
    "Letterbox",
    "LoadFrame",
    "LoadTracks",
    "PackFrame",
    "RandomAffineLetterbox",
    "RandomFlipTracks",
]
