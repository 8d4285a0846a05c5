# Tracktor with its motion model, which the publication uses for low frame rates: tracks are looked
# for where the velocity of the last frame takes them.
_base_ = "tracktor.py"
steps = _base_.tracker.steps
tracker = dict(
    motion=dict(type="ConstantVelocity", span=1, center_only=True),
    steps=[steps[0], dict(type="Predict"), *steps[1:]],
)
