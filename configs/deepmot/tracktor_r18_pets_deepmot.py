# The small Tracktor on the two real sequences at 640x480, trained by the DeepMOT loss. Pre-trained:
#     --cfg-options load_from=work_dirs/faster_rcnn_r18_pets/epoch_8.pth
_base_ = [
    "../_base_/models/tracktor_r18.py",
    "../_base_/models/deepmot_small.py",
    "../_base_/datasets/pets_clips.py",
    "../_base_/schedules/deepmot_3e.py",
    "../_base_/trackers/tracktor_motion.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_size=4)
model = dict(
    follower=_base_.follower,
    trainable=["detector.roi_head.bbox_head.fc_reg.*"],
    tracker=_base_.tracker,
    camera=_base_.camera,
    detections="refined",
    data_preprocessor=dict(type="MOTDataPreprocessor", channels_last=True),
)
custom_hooks = [*_base_.custom_hooks, _base_.ema]
