# A small SiamRPN from scratch on pairs of SynthMOT's frames, within minutes on two CPU cores.
_base_ = [
    "../_base_/models/siamrpn_small.py",
    "../_base_/datasets/synthmot_small_pairs.py",
    "../_base_/schedules/adamw_cosine.py",
    "../_base_/default_runtime.py",
]
model = dict(
    type="SOTPairModel",
    follower=_base_.follower,
    loss=dict(type="SiamRPNPairLoss", search_shift=24.0),
    max_targets=8,
)
val_cfg = test_cfg = None
