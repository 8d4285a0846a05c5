# A follower under DeepMOT training: the paper's loss (delta 0.5, gamma 2, lambda 5) through a
# frozen matcher. A config adds model.follower, and model.trainable where not all of it learns.
# The gate lies wider than the metric's IoU of 0.5 (0.25): boxes that have slid off come back sooner
# (docs/deepmot.md).
# Another matcher:    model = dict(criterion=dict(matcher=dict(_delete_=True, type="DHN", ...)))
# Another criterion:  model = dict(criterion=dict(_delete_=True, **_base_.smooth_l1))
deepmot = dict(
    type="DeepMOTCriterion",
    matcher=dict(type="Sinkhorn", temperature=0.05),
    loss=dict(type="DeepMOTLoss", gate=0.4, gate_width=0.1),
)
smooth_l1 = dict(type="SmoothL1Criterion", monitor=deepmot)
model = dict(
    type="DeepMOTModel",
    criterion=deepmot,
    start=dict(type="BoxNoise", scale=(0.8, 1.2), shift=(0.0, 0.25)),
)
