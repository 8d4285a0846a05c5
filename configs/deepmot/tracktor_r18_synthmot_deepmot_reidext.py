# The small Tracktor with the external network of configs/reid/reid_r18_synthmot.py (+ReIDext). That
# takes no part in training: tested with a checkpoint of tracktor_r18_synthmot_deepmot.py.
_base_ = [
    "../_base_/models/tracktor_r18.py",
    "../_base_/models/deepmot_small.py",
    "../_base_/models/reid_r18.py",
    "../_base_/datasets/synthmot_small_clips.py",
    "../_base_/schedules/deepmot_3e.py",
    "../_base_/trackers/tracktor_reid_motion.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_size=4)
model = dict(
    follower=_base_.follower,
    trainable=["detector.roi_head.bbox_head.fc_reg.*"],
    reid=dict(**_base_.reid, weights="work_dirs/reid_r18_synthmot/epoch_16.pth"),
    tracker=_base_.tracker,
    camera=_base_.camera,
    detections="refined",
    data_preprocessor=dict(type="MOTDataPreprocessor", channels_last=True),
)
custom_hooks = [*_base_.custom_hooks, _base_.ema]
