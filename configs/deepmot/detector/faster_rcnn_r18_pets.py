# The small Faster R-CNN on the two real sequences at 640x480.
_base_ = [
    "../../_base_/models/tracktor_r18.py",
    "../../_base_/datasets/pets_public.py",
    "../../_base_/schedules/adamw_cosine_16e.py",
    "../../_base_/trackers/tracktor_motion.py",
    "../../_base_/default_runtime.py",
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
