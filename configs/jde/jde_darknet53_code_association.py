# jde_darknet53.py linked as by the published code; the paper's way, the default, measured better.
_base_ = [
    "../_base_/models/jde_darknet53.py",
    "../_base_/datasets/synthmot.py",
    "../_base_/schedules/jde_30e.py",
    "../_base_/trackers/jde_code.py",
    "../_base_/default_runtime.py",
]
model = dict(tracker=_base_.tracker)
