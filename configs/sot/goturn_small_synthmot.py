# A small GOTURN from scratch on pairs of SynthMOT's frames, in ten minutes of a CPU core.
_base_ = [
    "../_base_/models/goturn_small.py",
    "../_base_/datasets/synthmot_small_pairs.py",
    "../_base_/schedules/adamw_cosine_16e.py",
    "../_base_/trackers/mot_by_sot_visible_first.py",
    "../_base_/default_runtime.py",
]
# Consecutive frames: later the search crop, twice the old box, may not show the target any more.
train_dataloader = dict(dataset=dict(max_distance=1))
model = dict(
    type="SOTPairModel",
    follower=_base_.follower,
    tracker=_base_.tracker,
    loss=dict(type="GOTURNPairLoss", crops=2),
    max_targets=8,
)
train_cfg = dict(val_begin=_base_.max_epochs + 1)  # tools/test.py scores it
