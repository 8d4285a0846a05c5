# Tracktor on MOT17's first halves, its boxes regressed to the true ones of their identities.
_base_ = "tracktor_r50_mot17_deepmot.py"
model = dict(criterion=dict(_delete_=True, **_base_.smooth_l1))
