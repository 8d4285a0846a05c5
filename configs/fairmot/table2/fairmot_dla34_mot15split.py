# Tables 2 and 3: DLA-34, from ImageNet, on MOT15's five videos.
# Weights: http://dl.yf.io/dla/models/imagenet/dla34-ba72cf86.pth
_base_ = [
    "../../_base_/models/fairmot_dla34.py",
    "../../_base_/datasets/mot15split.py",
    "../../_base_/schedules/fairmot_30e.py",
    "../../_base_/trackers/fairmot.py",
    "../../_base_/default_runtime.py",
]
pretrained = dict(type="DLAPretrainedInit", checkpoint="data/pretrained/dla34-ba72cf86.pth")
model = dict(
    detector=dict(backbone=dict(init_cfg=pretrained), freeze_bn="none"),
    tracker=_base_.tracker,
)
