# Cascade R-CNN (ResNet-50), IDE, JDE's association.
_base_ = [
    "../../_base_/sde/cascade_rcnn_r50_joint.py",
    "../../_base_/models/reid_ide_r50.py",
    "../../_base_/trackers/jde_paper.py",
]
weights = "work_dirs/ide_r50_joint/epoch_60.pth"
model = dict(reid=dict(**_base_.reid, weights=weights), tracker=_base_.tracker)
