# Table 2 in small: without the skip connections, up-convolutions alone.
_base_ = "../fairmot_r18_synthmot.py"
model = dict(
    detector=dict(
        backbone=dict(out_indices=(2,)),
        neck=dict(
            _delete_=True,
            type="CTResNetNeck",
            in_channels=128,
            num_deconv_filters=(64, 48),
            num_deconv_kernels=(4, 4),
            use_dcn=False,
        ),
    ),
)
