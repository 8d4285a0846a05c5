# At stride 2 (paper, Table 1).
_base_ = "fairmot_dla34.py"
model = dict(
    detector=dict(
        backbone=dict(out_indices=(1, 2, 3, 4, 5)),
        neck=dict(in_channels=(32, 64, 128, 256, 512), out_stride=2),
        bbox_head=dict(in_channels=32, stride=2),
    ),
)
