# FairMOT with HRNet-W32 (paper, Table 2): its four branches joined at stride 4.
_base_ = "fairmot_r18.py"
model = dict(
    detector=dict(
        backbone=dict(
            _delete_=True,
            type="HRNet",
            norm_eval=False,
            extra=dict(
                stage1=dict(
                    num_modules=1,
                    num_branches=1,
                    block="BOTTLENECK",
                    num_blocks=(4,),
                    num_channels=(64,),
                ),
                stage2=dict(
                    num_modules=1,
                    num_branches=2,
                    block="BASIC",
                    num_blocks=(4, 4),
                    num_channels=(32, 64),
                ),
                stage3=dict(
                    num_modules=4,
                    num_branches=3,
                    block="BASIC",
                    num_blocks=(4, 4, 4),
                    num_channels=(32, 64, 128),
                ),
                stage4=dict(
                    num_modules=3,
                    num_branches=4,
                    block="BASIC",
                    num_blocks=(4, 4, 4, 4),
                    num_channels=(32, 64, 128, 256),
                ),
            ),
        ),
        neck=dict(
            _delete_=True,
            type="HRFPN",
            in_channels=[32, 64, 128, 256],
            out_channels=64,
            num_outs=1,
        ),
    ),
)
