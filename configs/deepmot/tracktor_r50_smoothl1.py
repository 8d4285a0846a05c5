# Tracktor on ResNet-50, its boxes regressed to the true ones of their identities.
_base_ = "tracktor_r50_deepmot.py"
model = dict(criterion=dict(_delete_=True, **_base_.smooth_l1))
