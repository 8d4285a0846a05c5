# triplet_r50_joint.py with ResNet-101.
_base_ = "triplet_r50_joint.py"
pretrained = dict(checkpoint="torchvision://resnet101")
model = dict(reid=dict(backbone=dict(depth=101, init_cfg=pretrained)))
