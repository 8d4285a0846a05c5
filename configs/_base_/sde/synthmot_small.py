# Detectors on SynthMOT at 512x288, minutes on two CPU cores; augmentation milder than JDE's, which
# a few epochs cannot make use of.
_base_ = ["../datasets/synthmot_small.py", "../schedules/adamw_cosine.py", "../default_runtime.py"]
mild = dict(
    RandomAffineLetterbox=dict(degrees=2.0, scale=(0.7, 1.3)),
    HSVJitter=dict(fraction=0.3),
)
train_pipeline = [{**step, **mild.get(step["type"], {})} for step in _base_.train_pipeline]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(val_begin=_base_.max_epochs + 1)  # tools/test.py scores it
custom_hooks = [*_base_.custom_hooks, _base_.ema]
