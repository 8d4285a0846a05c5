# jde_r18_pets.py without anchors: the same data, input, schedule and number of images.
_base_ = [
    "../_base_/models/fairmot_r18_slim.py",
    "../_base_/datasets/pets_640x480.py",
    "../_base_/schedules/adamw_cosine_16e.py",
    "../_base_/trackers/fairmot.py",
    "../_base_/default_runtime.py",
]
model = dict(tracker=_base_.tracker)
custom_hooks = [*_base_.custom_hooks, _base_.ema]
