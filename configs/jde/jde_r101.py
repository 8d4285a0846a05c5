# ResNet-101 instead of DarkNet-53 (paper, Fig. 3), from scratch.
_base_ = "jde_r50.py"
model = dict(detector=dict(backbone=dict(depth=101)))
