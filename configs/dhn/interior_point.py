# Our own: exact by Newton steps, soft for the gradient. Nothing to train: for tools/test.py CONFIG
# --eval assignment.
_base_ = "dhn_seq_gru.py"
model = dict(matcher=dict(_delete_=True, type="InteriorPoint"))
