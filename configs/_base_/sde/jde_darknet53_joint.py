# JDE with DarkNet-53, as configs/jde/jde_darknet53_joint.py trains it.
_base_ = [
    "../models/jde_darknet53.py",
    "../datasets/joint.py",
    "../schedules/jde_30e.py",
    "../default_runtime.py",
]
pretrained = dict(type="DarknetPretrainedInit", checkpoint="data/pretrained/darknet53.conv.74")
model = dict(detector=dict(backbone=dict(init_cfg=pretrained)))
