# The demo: a small JDE that trains in minutes on two CPU cores, at 512x288.
_base_ = [
    "../_base_/models/jde_r18.py",
    "../_base_/datasets/synthmot_small.py",
    "../_base_/schedules/jde_30e.py",
    "../_base_/trackers/jde_code.py",
    "../_base_/default_runtime.py",
]
effective_batch_size = 8
train_dataloader = dict(batch_size=8)
model = dict(
    # Small people: each gets an anchor, and scores start low, where most of them stay.
    detector=dict(bbox_head=dict(match_best=True, prior=0.01)),
    tracker=_base_.tracker,
)
