# JDE with ResNet-101 on its joint training set. Meant to start from ImageNet weights:
#   --cfg-options model.detector.backbone.init_cfg.type=Pretrained \
#                 model.detector.backbone.init_cfg.checkpoint=FILE
_base_ = [
    "../models/jde_r50.py",
    "../datasets/joint.py",
    "../schedules/jde_30e.py",
    "../default_runtime.py",
]
model = dict(detector=dict(backbone=dict(depth=101)))
