# The small Tracktor with an appearance head that learns with it (+ReIDhead): clips of ten frames,
# the cosine distance of a track's past as a term of D.
_base_ = [
    "../_base_/models/tracktor_r18_reid_head.py",
    "../_base_/models/deepmot.py",
    "../_base_/datasets/synthmot_small_clips.py",
    "../_base_/schedules/deepmot_18e.py",
    "../_base_/trackers/tracktor_reid.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(dataset=dict(clip_length=10, stride=2))
train_cfg = dict(max_epochs=3, val_begin=4)  # tools/test.py scores it
model = dict(
    follower=_base_.follower,
    criterion=dict(appearance="term"),
    trainable=["detector.roi_head.bbox_head.fc_reg.*", "embedding_head.*"],
    tracker=_base_.tracker,
    camera=_base_.camera,
    detections="refined",
    data_preprocessor=dict(type="MOTDataPreprocessor", channels_last=True),
)
