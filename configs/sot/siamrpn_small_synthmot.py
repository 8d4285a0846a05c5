# A small SiamRPN from scratch on pairs of SynthMOT's frames, within minutes on two CPU cores.
_base_ = [
    "../_base_/models/siamrpn_small.py",
    "../_base_/datasets/synthmot_small_pairs.py",
    "../_base_/schedules/adamw_cosine.py",
    "../_base_/trackers/mot_by_sot_visible_first.py",
    "../_base_/default_runtime.py",
]
model = dict(
    type="SOTPairModel",
    follower=_base_.follower,
    tracker=_base_.tracker,
    loss=dict(type="SiamRPNPairLoss", search_shift=24.0),
    max_targets=8,
)
train_cfg = dict(val_begin=_base_.max_epochs + 1)  # tools/test.py scores it
