# Faster R-CNN on the first halves of MOT17's training sequences (the paper's ablation split),
# tested on their last quarters as the vanilla Base Tracktor, on the public detections.
# Meant to start from COCO weights, whose normalisation it has; a file of mmdet's
# faster-rcnn_r50_fpn_1x_coco:
#   --cfg-options model.follower.detector.init_cfg.type=Pretrained \
#                 model.follower.detector.init_cfg.checkpoint=FILE
_base_ = [
    "../../_base_/models/tracktor_r50.py",
    "../../_base_/datasets/mot17_public_1344x768.py",
    "../../_base_/schedules/sgd_12e.py",
    "../../_base_/trackers/tracktor.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(
        type="MOTDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]
    ),
    follower=_base_.follower,
    tracker=_base_.tracker,
    camera=_base_.camera,
    detections="refined",
)
