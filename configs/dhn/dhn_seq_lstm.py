_base_ = "dhn_seq_gru.py"
model = dict(matcher=dict(order="sequential", cell="lstm"))
