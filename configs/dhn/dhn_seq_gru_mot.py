# The paper's recipe: real matrices of MOT16 and MOT17 train, judged on those of MOT15.
_base_ = [
    "../_base_/models/dhn.py",
    "../_base_/datasets/dhn_mot.py",
    "../_base_/schedules/dhn_20e.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_sampler=dict(grow_from=8, grow_iters=5000))
