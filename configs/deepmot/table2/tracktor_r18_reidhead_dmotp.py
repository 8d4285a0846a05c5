# Table 2: dMOTP alone.
_base_ = "../tracktor_r18_synthmot_reidhead.py"
model = dict(criterion=dict(loss=dict(accuracy_weight=0.0)))
