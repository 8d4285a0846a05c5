# A small FairMOT: ResNet-18 and three up-convolutions to stride 4, without deformable convolutions.
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor"),  # RGB / 255
    detector=dict(
        type="FairMOT",
        backbone=dict(type="ResNet", depth=18, out_indices=(3,), norm_eval=False),
        neck=dict(
            type="CTResNetNeck",
            in_channels=512,
            num_deconv_filters=(256, 128, 64),
            num_deconv_kernels=(4, 4, 4),
            use_dcn=False,
        ),
        bbox_head=dict(
            type="FairMOTHead",
            in_channels=64,
            stride=4,
            num_ids=None,  # as many as the training dataset has
            embed_dims=128,
            loss_id=dict(type="IdentityCrossEntropyLoss"),
            balance=dict(type="UncertaintyWeights"),
        ),
        test_cfg=dict(
            score_thr=0.4,
            max_per_img=500,
            min_area=100,
            max_aspect=1.6,
            det_cfg=dict(score_thr=0.3, min_area=0, max_aspect=None),
        ),
    ),
)
