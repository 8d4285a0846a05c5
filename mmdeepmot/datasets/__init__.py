"""Datasets of tracked boxes and their transforms."""

from mmdeepmot.datasets import transforms
from mmdeepmot.datasets.base import MOTDataset
from mmdeepmot.datasets.frame_pairs import FramePairDataset
from mmdeepmot.datasets.identity_crops import IdentityCropDataset
from mmdeepmot.datasets.index import AnnotationIndex
from mmdeepmot.datasets.jde_list import JDEListDataset
from mmdeepmot.datasets.joint import JointDataset
from mmdeepmot.datasets.matrices import (
    CrowdMatrices,
    MatrixDataset,
    MatrixFileDataset,
    MixedMatrices,
    RandomMatrices,
)
from mmdeepmot.datasets.mot_challenge import MOTChallengeDataset
from mmdeepmot.datasets.synthmot.dataset import SynthMOTDataset

__all__ = [
    "AnnotationIndex",
    "CrowdMatrices",
    "FramePairDataset",
    "IdentityCropDataset",
    "JDEListDataset",
    "JointDataset",
    "MOTChallengeDataset",
    "MOTDataset",
    "MatrixDataset",
    "MatrixFileDataset",
    "MixedMatrices",
    "RandomMatrices",
    "SynthMOTDataset",
    "transforms",
]
