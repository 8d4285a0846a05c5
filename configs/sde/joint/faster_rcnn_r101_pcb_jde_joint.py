# Faster R-CNN (ResNet-101), PCB, JDE's association.
_base_ = [
    "../../_base_/sde/faster_rcnn_r101_joint.py",
    "../../_base_/models/reid_pcb_r50.py",
    "../../_base_/trackers/jde_paper.py",
]
weights = "work_dirs/pcb_r50_joint/epoch_60.pth"
model = dict(reid=dict(**_base_.reid, weights=weights), tracker=_base_.tracker)
