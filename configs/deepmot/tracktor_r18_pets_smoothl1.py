# The small Tracktor on real sequences, its boxes regressed to the true ones of their identities.
_base_ = "tracktor_r18_pets_deepmot.py"
model = dict(criterion=dict(_delete_=True, **_base_.smooth_l1))
