# Cascade R-CNN (ResNet-101), IDE, DeepSORT.
_base_ = [
    "../../_base_/sde/cascade_rcnn_r101_joint.py",
    "../../_base_/models/reid_ide_r50.py",
    "../../_base_/trackers/deepsort.py",
]
weights = "work_dirs/ide_r50_joint/epoch_60.pth"
model = dict(reid=dict(**_base_.reid, weights=weights), tracker=_base_.tracker)
