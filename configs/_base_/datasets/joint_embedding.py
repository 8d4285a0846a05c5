# JDE's joint training set, tested on the boxes of Caltech, CUHK-SYSU and PRW val alone.
_base_ = "joint.py"
test_dataloader = dict(dataset=dict(_delete_=True, **_base_.task_dataloaders.embedding.dataset))
