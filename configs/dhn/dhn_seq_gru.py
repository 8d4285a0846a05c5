# The paper's default. Its cost is one recurrent step an entry: training starts with small matrices.
_base_ = [
    "../_base_/models/dhn.py",
    "../_base_/datasets/dhn_generated.py",
    "../_base_/schedules/dhn_20e.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_sampler=dict(grow_from=8, grow_iters=5000))
