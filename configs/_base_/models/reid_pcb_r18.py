# The small PCB: ResNet-18 at half width on crops of 48x96, which its
# backbone brings to maps of 3x6.
_base_ = "reid_pcb_r50.py"
reid = dict(
    backbone=dict(depth=18, base_channels=32),
    head=dict(in_channels=256, part_dims=64),
    crop_size=(48, 96),
)
