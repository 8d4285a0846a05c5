# pcb_r50_joint.py with ResNet-101.
_base_ = "pcb_r50_joint.py"
model = dict(reid=dict(backbone=dict(depth=101)))
