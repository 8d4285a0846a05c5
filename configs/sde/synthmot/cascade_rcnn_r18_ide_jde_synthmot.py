# The small Cascade R-CNN, IDE, JDE's association.
_base_ = [
    "../../_base_/sde/cascade_rcnn_r18_synthmot.py",
    "../../_base_/models/reid_ide_r18.py",
    "../../_base_/trackers/jde_paper.py",
]
weights = "work_dirs/ide_r18_synthmot/epoch_16.pth"
model = dict(reid=dict(**_base_.reid, weights=weights), tracker=_base_.tracker)
