# The small GOTURN on real sequences, its boxes regressed to the true ones of their identities.
_base_ = "goturn_small_pets_deepmot.py"
model = dict(criterion=dict(_delete_=True, **_base_.smooth_l1))
