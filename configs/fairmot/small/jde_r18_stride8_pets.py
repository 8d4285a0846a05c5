# Table 1 in small, on real video: anchors on the map of stride 8.
_base_ = "jde_r18_stride4_pets.py"
model = dict(
    detector=dict(
        backbone=dict(out_indices=(1, 2)),
        neck=dict(in_channels=(64, 128), widths=(64,)),
        bbox_head=dict(in_channels=[64], strides=[8]),
    ),
)
