# Sec. 4.4: 10 epochs on MOT17's training videos from what fairmot_dla34_joint.py trained. Learning
# rate and decay are not printed: those of the first training, shortened. For the server:
#     python tools/test.py THIS_CONFIG CHECKPOINT --format-only --out FOLDER
_base_ = [
    "../../_base_/models/fairmot_dla34.py",
    "../../_base_/datasets/mot_challenge.py",
    "../../_base_/schedules/fairmot_30e.py",
    "../../_base_/trackers/fairmot.py",
    "../../_base_/default_runtime.py",
]
load_from = "work_dirs/fairmot_dla34_joint/epoch_30.pth"
train_dataloader = dict(dataset=dict(data_root="data/MOT17/train"))
val_dataloader = None  # every video with ground truth trains
val_evaluator = None
val_cfg = None
test_dataloader = dict(dataset=dict(data_root="data/MOT17/test", require_gt=False))
train_cfg = dict(max_epochs=10)
param_scheduler = [dict(type="MultiStepLR", milestones=[7, 9], gamma=0.1)]
model = dict(tracker=_base_.tracker)
