# The exact assignment with the gradient of black-box interpolation.
_base_ = "../tracktor_r18_synthmot_deepmot.py"
model = dict(criterion=dict(matcher=dict(_delete_=True, type="BlackBoxHungarian")))
