# Table 1: anchor-based, stride 4: JDE's head with all twelve anchors a cell in FairMOT's place; the
# rest is fairmot_dla34_stride4_joint.py.
_base_ = "fairmot_dla34_stride4_joint.py"
anchors = [[(8 * 2 ** (k / 2), 24 * 2 ** (k / 2)) for k in range(1, 13)]]  # JDE, Sec. 3.3
model = dict(
    detector=dict(
        type="JDE",
        size_divisor=32,
        bbox_head=dict(
            _delete_=True,
            type="JDEHead",
            in_channels=[64],
            strides=[4],
            num_ids=None,  # as many as the training dataset has
            anchors=anchors,
            embed_dims=128,
            feat_channels=[256],
            loss_id=dict(type="IdentityCrossEntropyLoss"),
            balance=dict(type="UncertaintyWeights"),
        ),
        test_cfg=dict(
            _delete_=True,
            score_thr=0.5,
            nms_iou=0.4,
            min_area=200,
            max_aspect=1.6,
            det_cfg=dict(score_thr=0.3, nms_iou=0.5, min_area=0, max_aspect=None),
            embed_iou=0.6,
        ),
    ),
)
