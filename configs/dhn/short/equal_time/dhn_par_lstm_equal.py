# As dhn_seq_lstm_equal.py: more matrices in the same time.
_base_ = "dhn_seq_gru_equal.py"
model = dict(matcher=dict(order="parallel", cell="lstm"))
train_dataloader = dict(dataset=dict(length=23500))
