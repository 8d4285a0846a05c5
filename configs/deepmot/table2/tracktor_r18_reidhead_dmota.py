# Table 2: dMOTA alone.
_base_ = "../tracktor_r18_synthmot_reidhead.py"
model = dict(criterion=dict(loss=dict(precision_weight=0.0)))
