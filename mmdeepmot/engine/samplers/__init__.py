"""Samplers: which items of a dataset a process sees, and in which order."""

from .frame_pair import FramePairSampler
from .resumable import ResumableSampler, sample_seed
from .sequence import SequenceSampler, assign_sequences

__all__ = [
    "FramePairSampler",
    "ResumableSampler",
    "SequenceSampler",
    "assign_sequences",
    "sample_seed",
]
