# The small JDE, PCB, JDE's association.
_base_ = [
    "../../_base_/sde/jde_r18_synthmot.py",
    "../../_base_/models/reid_pcb_r18.py",
    "../../_base_/trackers/jde_paper.py",
]
weights = "work_dirs/pcb_r18_synthmot/epoch_16.pth"
model = dict(reid=dict(**_base_.reid, weights=weights), tracker=_base_.tracker)
