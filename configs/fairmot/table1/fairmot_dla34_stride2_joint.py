# Table 1: anchor-free, stride 2.
_base_ = "fairmot_dla34_stride4_joint.py"
model = dict(
    detector=dict(
        backbone=dict(out_indices=(1, 2, 3, 4, 5)),
        neck=dict(in_channels=(32, 64, 128, 256, 512), out_stride=2),
        bbox_head=dict(in_channels=32, stride=2),
    ),
)
