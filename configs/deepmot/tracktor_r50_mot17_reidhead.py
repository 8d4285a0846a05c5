# Tracktor on MOT17 with an appearance head that learns with it (+ReIDhead): clips of ten frames,
# the cosine distance of a track's past as a term of D, with our matcher and gate (the paper's:
# tracktor_r50_mot17_reidhead_dhn.py). From the pre-trained network:
#     --cfg-options load_from=work_dirs/faster_rcnn_r50_mot17/epoch_12.pth
_base_ = [
    "../_base_/models/tracktor_r50_reid_head.py",
    "../_base_/models/deepmot.py",
    "../_base_/datasets/mot17_clips_1344x768.py",
    "../_base_/schedules/deepmot_18e.py",
    "../_base_/trackers/tracktor_reid.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(dataset=dict(clip_length=10))
model = dict(
    follower=_base_.follower,
    criterion=dict(appearance="term"),
    trainable=["detector.roi_head.bbox_head.fc_reg.*", "embedding_head.*"],
    tracker=_base_.tracker,
    camera=_base_.camera,
    compensate=True,
    detections="refined",
    data_preprocessor=dict(
        type="MOTDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]
    ),
)
