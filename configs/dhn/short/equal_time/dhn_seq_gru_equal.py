# The variants against each other, seventeen minutes of a CPU core each, from random weights.
_base_ = "../dhn_seq_gru_short_on.py"
optim_wrapper = dict(optimizer=dict(lr=2e-3))
train_dataloader = dict(
    batch_sampler=dict(grow_from=3, grow_iters=300),
    dataset=dict(length=8000),
)
