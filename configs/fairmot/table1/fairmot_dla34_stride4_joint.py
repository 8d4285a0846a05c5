# Table 1: anchor-free, stride 4; six datasets, 10 epochs (where they decay is not printed).
_base_ = "../fairmot_dla34_joint.py"
train_cfg = dict(max_epochs=10)
param_scheduler = [dict(type="MultiStepLR", milestones=[7, 9], gamma=0.1)]
