# A ReID network for trackers: ResNet-50 on crops of 128x256, batch-hard triplets (Tracktor's) and
# identities, with a BNNeck between them.
reid = dict(
    type="ReIDNet",
    backbone=dict(type="ResNet", depth=50, out_indices=(3,), frozen_stages=-1, norm_eval=False),
    head=dict(
        type="BNNeckHead",
        in_channels=2048,
        embed_dims=128,
        num_ids=None,  # as many as the training dataset has
        loss_id=dict(type="IdentityCrossEntropyLoss"),
        loss_triplet=dict(type="BatchHardTripletLoss", margin=0.2),
    ),
    crop_size=(128, 256),
)
