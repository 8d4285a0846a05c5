# torch has a fused LSTM for CPUs and no fused GRU: more matrices in the same time.
_base_ = "dhn_seq_gru_equal.py"
model = dict(matcher=dict(cell="lstm"))
train_dataloader = dict(dataset=dict(length=19500))
