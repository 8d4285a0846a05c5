# The mean of exact assignments of perturbed distances, with the gradient of that mean.
_base_ = "../tracktor_r18_synthmot_deepmot.py"
model = dict(criterion=dict(matcher=dict(_delete_=True, type="PerturbedHungarian")))
