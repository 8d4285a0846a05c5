# Smooth L1 with the external network, which takes no part in training: tested with a checkpoint of
# tracktor_r18_synthmot_smoothl1.py.
_base_ = "tracktor_r18_synthmot_deepmot_reidext.py"
model = dict(criterion=dict(_delete_=True, **_base_.smooth_l1))
