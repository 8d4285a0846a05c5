# Table 3 on the paper's data: smooth upper bound of the triplet loss, fixed weights.
_base_ = "../jde_darknet53_joint.py"
model = dict(
    detector=dict(
        bbox_head=dict(
            loss_id=dict(_delete_=True, type="BatchUpperBoundLoss"),
            balance=dict(type="AppOptWeights"),
        ),
    ),
)
train_dataloader = dict(sampler=dict(type="FramePairSampler"))
