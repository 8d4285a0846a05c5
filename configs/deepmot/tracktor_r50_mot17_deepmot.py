# Tracktor on MOT17's first halves, tested on the last quarters on public detections: the regression
# layer learns by the DeepMOT loss, on the paper's schedule, with our matcher and gate (the paper's:
# tracktor_r50_mot17_deepmot_dhn.py). From the pre-trained network:
#     --cfg-options load_from=work_dirs/faster_rcnn_r50_mot17/epoch_12.pth
_base_ = [
    "../_base_/models/tracktor_r50.py",
    "../_base_/models/deepmot.py",
    "../_base_/datasets/mot17_clips_1344x768.py",
    "../_base_/schedules/deepmot_18e.py",
    "../_base_/trackers/tracktor.py",
    "../_base_/default_runtime.py",
]
model = dict(
    follower=_base_.follower,
    trainable=["detector.roi_head.bbox_head.fc_reg.*"],
    tracker=_base_.tracker,
    camera=_base_.camera,
    compensate=True,
    detections="refined",
    data_preprocessor=dict(
        type="MOTDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]
    ),
)
