# Table 1 in small: JDE's head in FairMOT's place, on the same features; the anchors are the demo's.
_base_ = "../fairmot_r18_synthmot.py"
heights = (36, 45, 57, 72, 90, 114, 144, 180)
model = dict(
    detector=dict(
        type="JDE",
        bbox_head=dict(
            _delete_=True,
            type="JDEHead",
            in_channels=[48],
            strides=[4],
            num_ids=None,  # as many as the training dataset has
            anchors=[[(height / 3, height) for height in heights]],
            embed_dims=128,
            feat_channels=[64],
            match_best=True,
            prior=0.01,
            loss_id=dict(type="IdentityCrossEntropyLoss"),
            balance=dict(type="UncertaintyWeights"),
        ),
        test_cfg=dict(
            _delete_=True,
            score_thr=0.7,
            nms_iou=0.4,
            min_area=200,
            max_aspect=1.6,
            det_cfg=dict(score_thr=0.3, nms_iou=0.5, min_area=0, max_aspect=None),
            embed_iou=0.6,
        ),
    ),
)
