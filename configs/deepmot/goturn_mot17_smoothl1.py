# GOTURN on MOT17, its boxes regressed to the true ones of their identities.
_base_ = "goturn_mot17_deepmot.py"
model = dict(criterion=dict(_delete_=True, **_base_.smooth_l1))
