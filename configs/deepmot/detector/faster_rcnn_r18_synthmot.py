# The small Faster R-CNN on SynthMOT at 512x288, minutes on two CPU cores.
_base_ = [
    "../../_base_/models/tracktor_r18.py",
    "../../_base_/datasets/synthmot_small.py",
    "../../_base_/schedules/adamw_cosine.py",
    "../../_base_/trackers/tracktor_motion.py",
    "../../_base_/default_runtime.py",
]
# Milder than JDE's augmentation, which a few epochs cannot make use of.
mild = dict(
    RandomAffineLetterbox=dict(degrees=2.0, scale=(0.7, 1.3)),
    HSVJitter=dict(fraction=0.3),
)
train_pipeline = [{**step, **mild.get(step["type"], {})} for step in _base_.train_pipeline]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(with_detections="det/det.txt"))
test_dataloader = val_dataloader
train_cfg = dict(val_begin=_base_.max_epochs + 1)  # tools/test.py scores it
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
