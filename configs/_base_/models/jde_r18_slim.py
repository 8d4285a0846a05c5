# A JDE for minutes on a CPU: ResNet-18 at half width, cut after its third stage (stride 16), and
# anchors for people of 36 to 180 px, so that the coarsest scale can go.
_base_ = "jde_r18.py"
model = dict(
    data_preprocessor=dict(channels_last=True),
    detector=dict(
        backbone=dict(
            base_channels=32,
            num_stages=3,
            strides=(1, 2, 2),
            dilations=(1, 1, 1),
            out_indices=(1, 2),
        ),
        neck=dict(num_scales=2, in_channels=[128, 64], out_channels=[64, 48]),
        bbox_head=dict(
            in_channels=[48, 64],
            strides=[8, 16],
            anchors=[
                [(12, 36), (15, 45), (19, 57), (24, 72)],
                [(30, 90), (38, 114), (48, 144), (60, 180)],
            ],
            match_best=True,  # every person gets an anchor
            prior=0.01,  # scores start low, where most of them stay
        ),
        test_cfg=dict(score_thr=0.6),  # chosen on SynthMOT streets of another seed than the test's
    ),
)
