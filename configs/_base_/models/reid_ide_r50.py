# IDE (Zheng et al. 2016): ResNet-50 as a classifier of people, its pooled features the embedding.
_base_ = "reid_r50.py"
reid = dict(
    head=dict(
        _delete_=True,
        type="IDEHead",
        in_channels=2048,
        num_ids=None,  # as many as the training dataset has
        loss_id=dict(type="IdentityCrossEntropyLoss", normalize=False),
    ),
)
