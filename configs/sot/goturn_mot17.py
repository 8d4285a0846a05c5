# GOTURN on pairs of the frames of MOT17's training half: what DeepMOT's Table 3 calls pre-trained
# (there: on other data, by its authors).
_base_ = [
    "../_base_/models/goturn.py",
    "../_base_/datasets/mot17_pairs.py",
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
    camera=_base_.camera,
    loss=dict(type="GOTURNPairLoss"),
)
