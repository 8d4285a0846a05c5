# A Tracktor for minutes on a CPU at 512x288: ResNet-18 at half width, thin pyramid and head,
# anchors of 16 to 128 px for people, who are taller than wide.
_base_ = "tracktor_r50.py"
channels = 64
follower = dict(
    detector=dict(
        backbone=dict(depth=18, base_channels=32),
        neck=dict(in_channels=[32, 64, 128, 256], out_channels=channels, num_outs=4),
        rpn_head=dict(
            in_channels=channels,
            feat_channels=channels,
            anchor_generator=dict(scales=[4], ratios=[1.0, 2.0, 3.0], strides=[4, 8, 16, 32]),
        ),
        roi_head=dict(
            bbox_roi_extractor=dict(out_channels=channels, finest_scale=28),
            bbox_head=dict(in_channels=channels, fc_out_channels=256),
        ),
        train_cfg=dict(
            rpn_proposal=dict(nms_pre=400, max_per_img=200),
            rcnn=dict(sampler=dict(num=128)),
        ),
        test_cfg=dict(rpn=dict(nms_pre=400, max_per_img=200)),
    ),
)
