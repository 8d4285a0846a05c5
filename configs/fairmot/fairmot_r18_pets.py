# jde_r18_pets.py without anchors: the same data, input, schedule and number of images.
_base_ = [
    "../_base_/models/fairmot_r18_slim.py",
    "../_base_/datasets/pets.py",
    "../_base_/schedules/adamw_cosine.py",
    "../_base_/trackers/fairmot.py",
    "../_base_/default_runtime.py",
]
input_size = (640, 480)
train_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.train_pipeline
]
test_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.test_pipeline
]
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
max_epochs = 16
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], "T_max": max_epochs},
]
model = dict(tracker=_base_.tracker)
custom_hooks = [*_base_.custom_hooks, _base_.ema]
