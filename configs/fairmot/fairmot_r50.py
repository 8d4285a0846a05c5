# ResNet-50 instead of DLA-34 (paper, Table 2), from scratch.
_base_ = [
    "../_base_/models/fairmot_r50.py",
    "../_base_/datasets/synthmot.py",
    "../_base_/schedules/fairmot_30e.py",
    "../_base_/trackers/fairmot.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_size=2)
model = dict(tracker=_base_.tracker)
