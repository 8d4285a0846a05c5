# PCB (Sun et al. 2018): six stripes of a ResNet-50 whose last stage keeps its resolution, on crops
# of 128x384.
_base_ = "reid_r50.py"
reid = dict(
    backbone=dict(strides=(1, 2, 2, 1)),
    head=dict(
        _delete_=True,
        type="PCBHead",
        in_channels=2048,
        num_ids=None,  # as many as the training dataset has
        loss_id=dict(type="IdentityCrossEntropyLoss", normalize=False),
    ),
    crop_size=(128, 384),
)
