# jde_r50_joint.py with ResNet-101.
_base_ = "jde_r50_joint.py"
pretrained = dict(checkpoint="torchvision://resnet101")
model = dict(detector=dict(backbone=dict(depth=101, init_cfg=pretrained)))
