# Table 2: dMOTA and dMOTP without the identity switches.
_base_ = "../tracktor_r18_synthmot_reidhead.py"
model = dict(criterion=dict(loss=dict(gamma=0.0)))
