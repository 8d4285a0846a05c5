# JDE as in the paper, with DarkNet-53 at 1088x608, from scratch, on SynthMOT (made on first use).
_base_ = [
    "../_base_/models/jde_darknet53.py",
    "../_base_/datasets/synthmot.py",
    "../_base_/schedules/jde_30e.py",
    "../_base_/trackers/jde_paper.py",
    "../_base_/default_runtime.py",
]
model = dict(tracker=_base_.tracker)
