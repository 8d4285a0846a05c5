# The community's usual comparison: trained on the first half of each MOT17 training sequence,
# tested on the second. DarkNet-53 from ImageNet weights, as in jde_darknet53_joint.py.
_base_ = [
    "../_base_/models/jde_darknet53.py",
    "../_base_/datasets/mot17half.py",
    "../_base_/schedules/jde_30e.py",
    "../_base_/trackers/jde_paper.py",
    "../_base_/default_runtime.py",
]
pretrained = dict(type="DarknetPretrainedInit", checkpoint="data/pretrained/darknet53.conv.74")
model = dict(
    detector=dict(backbone=dict(init_cfg=pretrained)),
    tracker=_base_.tracker,
)
