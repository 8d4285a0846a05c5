# A slim FairMOT's way up without skip connections: up-convolutions alone, as CenterNet's ResNets.
plain_backbone = dict(out_indices=(2,))
plain_neck = dict(
    type="CTResNetNeck",
    in_channels=128,
    num_deconv_filters=(64, 48),
    num_deconv_kernels=(4, 4),
    use_dcn=False,
)
