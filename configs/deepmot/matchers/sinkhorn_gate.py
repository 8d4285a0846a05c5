# Sinkhorn that pairs whatever it can; the loss's gate lets go of what is far apart.
_base_ = "../tracktor_r18_synthmot_deepmot.py"
model = dict(criterion=dict(matcher=dict(_delete_=True, type="Sinkhorn"), loss=dict(gate=0.25)))
