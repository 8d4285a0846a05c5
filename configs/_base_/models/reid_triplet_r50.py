# The triplet network (Hermans et al. 2017): ResNet-50, batch-hard triplets alone.
_base_ = "reid_r50.py"
reid = dict(
    head=dict(
        _delete_=True,
        type="TripletHead",
        in_channels=2048,
        loss_triplet=dict(type="BatchHardTripletLoss", margin=0.2),
    ),
)
