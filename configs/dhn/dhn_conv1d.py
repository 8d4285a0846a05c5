_base_ = "dhn_seq_gru.py"
model = dict(matcher=dict(_delete_=True, type="ConvDHN"))
