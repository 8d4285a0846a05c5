# The demo: a small JDE that trains in minutes on two CPU cores, at 512x288.
_base_ = [
    "../_base_/models/jde_r18_slim.py",
    "../_base_/datasets/synthmot_small.py",
    "../_base_/schedules/adamw_cosine.py",
    "../_base_/trackers/jde_paper.py",
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
# Chosen on streets of another seed than the test's, as is the limit below, of which the paper says
# nothing; there they gain 2 points of MOTA and cost 1 of IDF1.
model = dict(detector=dict(test_cfg=dict(score_thr=0.7)), tracker=_base_.tracker)
model["tracker"].steps[1].limit = 0.8
custom_hooks = [*_base_.custom_hooks, _base_.ema]
