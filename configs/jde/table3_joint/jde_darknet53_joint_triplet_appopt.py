# Table 3 on the paper's data: triplet loss (all negatives summed: hence the small weight), fixed
# weights.
_base_ = "../jde_darknet53_joint.py"
model = dict(
    detector=dict(
        bbox_head=dict(
            loss_id=dict(_delete_=True, type="BatchTripletLoss", margin=0.3),
            balance=dict(type="AppOptWeights", weights=dict(cls=45, box=45, id=0.05)),
        ),
    ),
)
train_dataloader = dict(sampler=dict(type="FramePairSampler"))
