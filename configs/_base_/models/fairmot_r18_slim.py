# A FairMOT for minutes on a CPU: ResNet-18 at half width, cut after its third stage (stride 16),
# two thin up-convolutions. What is computed at centres only may be wide.
_base_ = "fairmot_r18.py"
model = dict(
    data_preprocessor=dict(channels_last=True),
    detector=dict(
        backbone=dict(
            base_channels=32,
            num_stages=3,
            strides=(1, 2, 2),
            dilations=(1, 1, 1),
            out_indices=(2,),
        ),
        neck=dict(in_channels=128, num_deconv_filters=(64, 48), num_deconv_kernels=(4, 4)),
        bbox_head=dict(in_channels=48, feat_channels=64, box="ltrb", id_head="stacked"),
        size_divisor=16,
    ),
)
