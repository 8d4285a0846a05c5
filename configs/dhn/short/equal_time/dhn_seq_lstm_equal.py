_base_ = "dhn_seq_gru_equal.py"
model = dict(matcher=dict(cell="lstm"))
