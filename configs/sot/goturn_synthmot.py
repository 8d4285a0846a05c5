# GOTURN on pairs of SynthMOT's frames: what DeepMOT's Table 3 calls pre-trained.
_base_ = [
    "../_base_/models/goturn.py",
    "../_base_/datasets/synthmot_pairs.py",
    "../_base_/schedules/goturn_50e.py",
    "../_base_/trackers/mot_by_sot.py",
    "../_base_/default_runtime.py",
]
# Consecutive frames: later the search crop, twice the old box, may not show the target any more.
train_dataloader = dict(dataset=dict(max_distance=1))
model = dict(
    type="SOTPairModel",
    follower=_base_.follower,
    tracker=_base_.tracker,
    loss=dict(type="GOTURNPairLoss"),
)
