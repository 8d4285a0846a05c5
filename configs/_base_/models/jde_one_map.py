# JDE's head on one map of a slim FairMOT's features, for comparisons with and without anchors: the
# demo's anchors, and what FairMOT's head has (embeddings, balancing).
heights = (36, 45, 57, 72, 90, 114, 144, 180)
anchor_head = dict(
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
)
anchor_test_cfg = dict(
    score_thr=0.7,
    nms_iou=0.4,
    min_area=200,
    max_aspect=1.6,
    det_cfg=dict(score_thr=0.3, nms_iou=0.5, min_area=0, max_aspect=None),
    embed_iou=0.6,
)
