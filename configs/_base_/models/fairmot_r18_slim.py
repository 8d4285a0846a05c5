# A FairMOT for minutes on a CPU: ResNet-18 at half width, cut after its third stage (stride 16), a
# thin way up with skip connections. What is computed at centres only may be wide. The boxes' loss
# weighs as in the published code: at the paper's weight centres are learned later (AP 88 for 90).
# A score of 0.3 instead of the published 0.4: chosen on SynthMOT streets of another seed than the
# test's.
_base_ = "fairmot_r18.py"
model = dict(
    data_preprocessor=dict(channels_last=True),
    detector=dict(
        backbone=dict(
            base_channels=32,
            num_stages=3,
            strides=(1, 2, 2),
            dilations=(1, 1, 1),
            out_indices=(0, 1, 2),
        ),
        neck=dict(_delete_=True, type="FPNUp", in_channels=(32, 64, 128), widths=(64, 48)),
        bbox_head=dict(
            in_channels=48,
            feat_channels=64,
            box="ltrb",
            id_head="stacked",
            loss_box=dict(type="mmdet.L1Loss", loss_weight=0.1),
        ),
        size_divisor=16,
        test_cfg=dict(score_thr=0.3),
    ),
)
