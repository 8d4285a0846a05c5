# ResNet-50 instead of DarkNet-53 (paper, Fig. 3), from scratch.
_base_ = [
    "../_base_/models/jde_r50.py",
    "../_base_/datasets/synthmot.py",
    "../_base_/schedules/jde_30e.py",
    "../_base_/trackers/jde_paper.py",
    "../_base_/default_runtime.py",
]
model = dict(tracker=_base_.tracker)
