# FairMOT with ResNet-34 and a feature pyramid, its finest map at stride 4 (paper, Table 2).
_base_ = "fairmot_r34.py"
model = dict(
    detector=dict(
        backbone=dict(out_indices=(0, 1, 2, 3)),
        neck=dict(
            _delete_=True, type="FPNUp", in_channels=(64, 128, 256, 512), widths=(256, 128, 64)
        ),
    ),
)
