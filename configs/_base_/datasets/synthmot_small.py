# SynthMOT at 512x288 (generated on first use): 64 training sequences of 20 frames, 3 held-out ones
# of 150; small enough to train on two CPU cores within minutes.
_base_ = "synthmot.py"
recipe = "small"
input_size = (512, 288)
train_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.train_pipeline
]
test_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.test_pipeline
]
train_dataloader = dict(dataset=dict(recipe=recipe, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(recipe=recipe, pipeline=test_pipeline))
test_dataloader = val_dataloader
