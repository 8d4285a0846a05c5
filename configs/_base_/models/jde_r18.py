# A small JDE for CPUs: ResNet-18, thin neck, embeddings of 128.
_base_ = "jde_r50.py"
model = dict(
    detector=dict(
        backbone=dict(depth=18),
        neck=dict(in_channels=[512, 256, 128], out_channels=[128, 96, 64]),
        bbox_head=dict(in_channels=[64, 96, 128], embed_dims=128),
    ),
)
