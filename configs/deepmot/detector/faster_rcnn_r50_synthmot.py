# Faster R-CNN on small SynthMOT frames, from scratch: the pre-trained network of tracktor_r50_*.py.
# Tested as it is, with --eval track, it is the vanilla Base Tracktor on public detections.
_base_ = [
    "../../_base_/models/tracktor_r50.py",
    "../../_base_/datasets/synthmot_small.py",
    "../../_base_/schedules/adamw_cosine.py",
    "../../_base_/trackers/tracktor.py",
    "../../_base_/default_runtime.py",
]
val_dataloader = dict(dataset=dict(with_detections="det/det.txt"))
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=5e-4))
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor"),  # RGB / 255
    follower=_base_.follower,
    tracker=_base_.tracker,
    camera=_base_.camera,
    detections="refined",
)
custom_hooks = [*_base_.custom_hooks, _base_.ema]
