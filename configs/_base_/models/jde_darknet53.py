# JDE with DarkNet-53 (paper, Sec. 3): three scales, 12 anchors of aspect 1:3, embeddings of 512.
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor"),  # RGB / 255
    detector=dict(
        type="JDE",
        backbone=dict(type="Darknet", depth=53, out_indices=(3, 4, 5), norm_eval=False),
        neck=dict(
            type="YOLOV3Neck",
            num_scales=3,
            in_channels=[1024, 512, 256],
            out_channels=[512, 256, 128],
        ),
        bbox_head=dict(
            type="JDEHead",
            in_channels=[128, 256, 512],
            strides=[8, 16, 32],
            num_ids=None,  # as many as the training dataset has
            anchors="paper",
            embed_dims=512,
            loss_id=dict(type="IdentityCrossEntropyLoss"),
            balance=dict(type="UncertaintyWeights"),
        ),
        test_cfg=dict(
            score_thr=0.5,
            nms_iou=0.4,
            min_area=200,
            max_aspect=1.6,
            det_cfg=dict(score_thr=0.3, nms_iou=0.5, min_area=0, max_aspect=None),
            embed_iou=0.6,
        ),
    ),
)
