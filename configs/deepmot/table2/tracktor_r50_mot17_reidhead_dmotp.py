# Table 2 on MOT17: dMOTP alone. It measures boxes: the head gets no gradient, and stays as it was
# drawn.
_base_ = "../tracktor_r50_mot17_reidhead_dhn.py"
model = dict(criterion=dict(loss=dict(accuracy_weight=0.0)))
