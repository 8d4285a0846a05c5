# The small IDE: ResNet-18 at half width on crops of 48x96.
_base_ = "reid_ide_r50.py"
reid = dict(
    backbone=dict(depth=18, base_channels=32),
    head=dict(in_channels=256),
    crop_size=(48, 96),
)
