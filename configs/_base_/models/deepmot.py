# A follower under DeepMOT training: the paper's loss (delta 0.5, gamma 2, lambda 5) through a
# frozen matcher. A config adds model.follower, and model.trainable where not all of it learns.
# Another matcher:    model = dict(criterion=dict(matcher=dict(_delete_=True, type="DHN", ...)))
# Another criterion:  model = dict(criterion=dict(_delete_=True, **_base_.smooth_l1))
sinkhorn = dict(type="Sinkhorn", temperature=0.05, slack=0.125)
smooth_l1 = dict(type="SmoothL1Criterion", monitor=dict(type="DeepMOTCriterion", matcher=sinkhorn))
model = dict(
    type="DeepMOTModel",
    criterion=dict(type="DeepMOTCriterion", matcher=sinkhorn, loss=dict(type="DeepMOTLoss")),
    start=dict(type="BoxNoise", scale=(0.8, 1.2), shift=(0.0, 0.25)),
)
