# Table 2 on MOT17: dMOTA and dMOTP without the identity switches.
_base_ = "../tracktor_r50_mot17_reidhead_dhn.py"
model = dict(criterion=dict(loss=dict(gamma=0.0)))
