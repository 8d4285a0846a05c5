# On from the weights of dhn_seq_gru_short.py, with matrices of all sizes; for the package's
# weights from a checkpoint of iteration 2105, and a second time with 28,000 matrices at 5e-4 (see
# read_weights). So few are not learned by heart, so no dropout; and see FocalAssignmentLoss on
# `balance`.
#     --cfg-options load_from=work_dirs/dhn_seq_gru_short/latest.pth
_base_ = [
    "../../_base_/models/dhn.py",
    "../../_base_/datasets/dhn_generated_mixed.py",
    "../../_base_/schedules/dhn_short.py",
    "../../_base_/default_runtime.py",
]
model = dict(matcher=dict(dropout=0.0), loss=dict(balance=0.5))
train_dataloader = dict(dataset=dict(length=24000))
param_scheduler = [{**_base_.param_scheduler[0], "end": 80}, _base_.param_scheduler[1]]
