# JDE with ResNet-50 on its joint training set, from ImageNet weights.
_base_ = [
    "../models/jde_r50.py",
    "../datasets/joint.py",
    "../schedules/jde_30e.py",
    "../default_runtime.py",
]
pretrained = dict(type="Pretrained", checkpoint="torchvision://resnet50")
model = dict(detector=dict(backbone=dict(init_cfg=pretrained)))
