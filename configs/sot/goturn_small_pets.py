# The small GOTURN from scratch on pairs of real frames; see _base_/datasets/pets.py.
_base_ = [
    "../_base_/models/goturn_small.py",
    "../_base_/datasets/pets_pairs.py",
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
    camera=_base_.camera,
    loss=dict(type="GOTURNPairLoss", crops=2),
    max_targets=8,
)
