# The interior-point matcher, with Sinkhorn's price of being alone.
_base_ = "../tracktor_r18_synthmot_deepmot.py"
model = dict(criterion=dict(matcher=dict(_delete_=True, type="InteriorPoint", slack=0.125)))
