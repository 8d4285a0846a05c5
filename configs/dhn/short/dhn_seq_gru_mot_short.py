# dhn_seq_gru_mot.py on a CPU: half an hour on from the weights that come with the package.
_base_ = [
    "../../_base_/models/dhn.py",
    "../../_base_/datasets/dhn_mot.py",
    "../../_base_/schedules/dhn_short.py",
    "../../_base_/default_runtime.py",
]
model = dict(matcher=dict(pretrained=True, dropout=0.0), loss=dict(balance=0.5))
optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_dataloader = dict(
    batch_size=12,
    batch_sampler=dict(max_entries=12288),
    dataset=dict(limit=2000),
)
