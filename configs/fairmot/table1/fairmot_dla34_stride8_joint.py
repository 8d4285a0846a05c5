# Table 1: anchor-free, stride 8.
_base_ = "fairmot_dla34_stride4_joint.py"
model = dict(
    detector=dict(
        backbone=dict(out_indices=(3, 4, 5)),
        neck=dict(in_channels=(128, 256, 512), out_stride=8),
        bbox_head=dict(in_channels=128, stride=8),
    ),
)
