# The demo's model on real video, from scratch on a CPU; see _base_/datasets/pets.py for the data.
_base_ = [
    "../_base_/models/jde_r18_slim.py",
    "../_base_/datasets/pets_640x480.py",
    "../_base_/schedules/adamw_cosine_16e.py",
    "../_base_/trackers/jde_paper.py",
    "../_base_/default_runtime.py",
]
model = dict(tracker=_base_.tracker)
custom_hooks = [*_base_.custom_hooks, _base_.ema]
