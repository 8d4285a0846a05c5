# Tables 2 and 3: HRNet-W32, from ImageNet, on MOT15's five videos.
_base_ = [
    "../../_base_/models/fairmot_hrnetw32.py",
    "../../_base_/datasets/mot15split.py",
    "../../_base_/schedules/fairmot_30e.py",
    "../../_base_/trackers/fairmot.py",
    "../../_base_/default_runtime.py",
]
pretrained = dict(type="Pretrained", checkpoint="open-mmlab://msra/hrnetv2_w32")
model = dict(
    detector=dict(backbone=dict(init_cfg=pretrained), freeze_bn="none"),
    tracker=_base_.tracker,
)
