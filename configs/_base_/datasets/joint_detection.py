# JDE's joint training set, tested on Caltech val alone.
_base_ = "joint.py"
test_dataloader = dict(dataset=dict(_delete_=True, **_base_.task_dataloaders.detection.dataset))
