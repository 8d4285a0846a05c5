# Table 1, Vanilla +ReIDext: the small detector as its training left it, with the external ReID
# network of configs/reid/reid_r18_synthmot.py. Tested with a checkpoint of
# faster_rcnn_r18_synthmot.py, which alone is Vanilla Base.
_base_ = [
    "../../_base_/models/tracktor_r18.py",
    "../../_base_/models/reid_r18.py",
    "../../_base_/datasets/synthmot_small.py",
    "../../_base_/schedules/adamw_cosine.py",
    "../../_base_/trackers/tracktor_reid_motion.py",
    "../../_base_/default_runtime.py",
]
val_dataloader = dict(dataset=dict(with_detections="det/det.txt"))
test_dataloader = val_dataloader
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor", channels_last=True),
    follower=_base_.follower,
    reid=dict(**_base_.reid, weights="work_dirs/reid_r18_synthmot/epoch_16.pth"),
    tracker=_base_.tracker,
    camera=_base_.camera,
    detections="refined",
)
