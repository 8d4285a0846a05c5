# Table 2 on MOT17: dMOTA alone.
_base_ = "../tracktor_r50_mot17_reidhead_dhn.py"
model = dict(criterion=dict(loss=dict(precision_weight=0.0)))
