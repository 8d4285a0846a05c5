# The exact assignment; the gradients of FP, FN and IDS come from the loss's gate.
_base_ = "../tracktor_r18_synthmot_deepmot.py"
model = dict(criterion=dict(matcher=dict(_delete_=True, type="Hungarian")))
