# What makes a two-stage detector small enough for minutes on a CPU at 512x288: ResNet-18 at half
# width, thin pyramid and head, anchors of 16 to 128 px for people, who are taller than wide.
small = dict(
    backbone=dict(depth=18, base_channels=32),
    neck=dict(in_channels=[32, 64, 128, 256], out_channels=64, num_outs=4),
    rpn_head=dict(
        in_channels=64,
        feat_channels=64,
        anchor_generator=dict(scales=[4], ratios=[1.0, 2.0, 3.0], strides=[4, 8, 16, 32]),
    ),
    test_cfg=dict(rpn=dict(nms_pre=400, max_per_img=200)),
)
small_proposals = dict(nms_pre=400, max_per_img=200)
small_extractor = dict(out_channels=64, finest_scale=28)
small_head = dict(in_channels=64, fc_out_channels=256)
small_samples = 128
