# Cascade R-CNN (ResNet-50), triplets, DeepSORT.
_base_ = [
    "../../_base_/sde/cascade_rcnn_r50_joint.py",
    "../../_base_/models/reid_triplet_r50.py",
    "../../_base_/trackers/deepsort.py",
]
weights = "work_dirs/triplet_r50_joint/epoch_60.pth"
model = dict(reid=dict(**_base_.reid, weights=weights), tracker=_base_.tracker)
