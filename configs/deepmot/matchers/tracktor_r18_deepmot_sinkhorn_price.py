# Sinkhorn with a price of being alone (half the distance at IoU 0.5) in place of the gate: dMOTA
# follows MOTA closely.
_base_ = "../tracktor_r18_synthmot_deepmot.py"
model = dict(criterion=dict(matcher=dict(slack=0.125), loss=dict(gate=None)))
