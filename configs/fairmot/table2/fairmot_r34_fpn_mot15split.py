# Tables 2 and 3: ResNet-34-FPN, from ImageNet, on MOT15's five videos.
_base_ = [
    "../../_base_/models/fairmot_r34_fpn.py",
    "../../_base_/datasets/mot15split.py",
    "../../_base_/schedules/fairmot_30e.py",
    "../../_base_/trackers/fairmot.py",
    "../../_base_/default_runtime.py",
]
pretrained = dict(type="Pretrained", checkpoint="torchvision://resnet34")
model = dict(
    detector=dict(backbone=dict(init_cfg=pretrained), freeze_bn="none"),
    tracker=_base_.tracker,
)
