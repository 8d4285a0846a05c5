# The FairMOT beside the demo: as long on the same data as jde_r18_synthmot.py, at 512x288.
_base_ = [
    "../_base_/models/fairmot_r18_slim.py",
    "../_base_/datasets/synthmot_small.py",
    "../_base_/schedules/adamw_cosine.py",
    "../_base_/trackers/fairmot.py",
    "../_base_/default_runtime.py",
]
# Milder than the paper's augmentation, which a few epochs cannot make use of.
mild = dict(
    RandomAffineLetterbox=dict(degrees=2.0, scale=(0.7, 1.3)),
    HSVJitter=dict(fraction=0.3),
)
train_pipeline = [{**step, **mild.get(step["type"], {})} for step in _base_.train_pipeline]
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
train_cfg = dict(val_begin=_base_.max_epochs + 1)  # tools/test.py scores it
model = dict(tracker=_base_.tracker)
custom_hooks = [*_base_.custom_hooks, _base_.ema]
