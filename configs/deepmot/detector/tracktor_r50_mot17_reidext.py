# Tracktor on MOT17 with the external ReID network of configs/reid/reid_r50_mot17.py (+ReIDext),
# which takes no part in training: tested with a checkpoint of faster_rcnn_r50_mot17.py (vanilla),
# of tracktor_r50_mot17_smoothl1.py, or of tracktor_r50_mot17_deepmot.py.
_base_ = [
    "../../_base_/models/tracktor_r50.py",
    "../../_base_/models/reid_r50.py",
    "../../_base_/datasets/mot17_public_1344x768.py",
    "../../_base_/schedules/sgd_12e.py",
    "../../_base_/trackers/tracktor_reid.py",
    "../../_base_/default_runtime.py",
]
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(
        type="MOTDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]
    ),
    follower=_base_.follower,
    reid=dict(**_base_.reid, weights="work_dirs/reid_r50_mot17/epoch_16.pth"),
    tracker=_base_.tracker,
    camera=_base_.camera,
    detections="refined",
)
