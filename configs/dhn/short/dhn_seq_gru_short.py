# The net of the paper as an hour of a CPU core trains it: python tools/train.py ... --amp
_base_ = [
    "../../_base_/models/dhn.py",
    "../../_base_/datasets/dhn_generated_small.py",
    "../../_base_/schedules/dhn_short.py",
    "../../_base_/default_runtime.py",
]
