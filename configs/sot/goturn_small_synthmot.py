# A small GOTURN from scratch on pairs of SynthMOT's frames, within minutes on two CPU cores.
_base_ = [
    "../_base_/models/goturn_small.py",
    "../_base_/datasets/synthmot_small_pairs.py",
    "../_base_/schedules/adamw_cosine.py",
    "../_base_/default_runtime.py",
]
model = dict(
    type="SOTPairModel",
    follower=_base_.follower,
    loss=dict(type="GOTURNPairLoss", crops=2),
    max_targets=8,
)
val_cfg = test_cfg = None
