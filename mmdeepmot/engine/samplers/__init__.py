"""Samplers: which items of a dataset a process sees, and in which order."""

from .frame_pair import FramePairSampler
from .identity import IdentitySampler, identity_groups
from .resumable import ResumableSampler, sample_seed
from .sequence import SequenceSampler, assign_sequences
from .size_batches import SizeBatchSampler, cut_batches, size_order

__all__ = [
    "FramePairSampler",
    "IdentitySampler",
    "ResumableSampler",
    "SequenceSampler",
    "SizeBatchSampler",
    "assign_sequences",
    "cut_batches",
    "identity_groups",
    "sample_seed",
    "size_order",
]
