# Table 2: dMOTP alone. It measures boxes: the head gets no gradient, and stays as it was drawn.
_base_ = "../tracktor_r18_synthmot_reidhead.py"
model = dict(criterion=dict(loss=dict(accuracy_weight=0.0)))
