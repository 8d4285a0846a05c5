# The small Faster R-CNN on the two real sequences at 640x480: eight epochs, half an hour of a core.
_base_ = [
    "../../_base_/models/tracktor_r18.py",
    "../../_base_/datasets/pets_public.py",
    "../../_base_/schedules/adamw_cosine.py",
    "../../_base_/trackers/tracktor_motion.py",
    "../../_base_/default_runtime.py",
]
max_epochs = 8
train_cfg = dict(max_epochs=max_epochs, val_begin=max_epochs + 1)  # tools/test.py scores it
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], "T_max": max_epochs},
]
optim_wrapper = dict(optimizer=dict(lr=1e-3))
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor", channels_last=True),
    follower=_base_.follower,
    tracker=_base_.tracker,
    camera=_base_.camera,
    detections="refined",
)
custom_hooks = [*_base_.custom_hooks, _base_.ema]
