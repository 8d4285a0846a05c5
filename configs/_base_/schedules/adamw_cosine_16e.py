# adamw_cosine.py for few images: 16 epochs, scored at the end.
_base_ = "adamw_cosine.py"
max_epochs = 16
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], "T_max": max_epochs},
]
