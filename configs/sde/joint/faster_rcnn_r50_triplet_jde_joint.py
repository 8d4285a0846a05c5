# Faster R-CNN (ResNet-50), triplets, JDE's association.
_base_ = [
    "../../_base_/sde/faster_rcnn_r50_joint.py",
    "../../_base_/models/reid_triplet_r50.py",
    "../../_base_/trackers/jde_paper.py",
]
weights = "work_dirs/triplet_r50_joint/epoch_60.pth"
model = dict(reid=dict(**_base_.reid, weights=weights), tracker=_base_.tracker)
