# Tracktor with appearance and with its motion model.
_base_ = "tracktor_reid.py"
steps = _base_.tracker.steps
tracker = dict(
    motion=dict(type="ConstantVelocity", span=1, center_only=True),
    steps=[steps[0], dict(type="Predict"), *steps[1:]],
)
