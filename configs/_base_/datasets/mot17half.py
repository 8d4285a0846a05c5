# The community's usual split of MOT17: first half of each training sequence against the second.
_base_ = "mot_challenge.py"
data_root = "data/MOT17/train"
train_dataloader = dict(dataset=dict(data_root=data_root, split="train_half"))
val_dataloader = dict(dataset=dict(data_root=data_root, split="val_half"))
test_dataloader = val_dataloader
