# Sec. 4.4, as fairmot_dla34_mot17.py, on MOT15.
_base_ = "fairmot_dla34_mot17.py"
train_dataloader = dict(dataset=dict(data_root="data/MOT15/train"))
test_dataloader = dict(dataset=dict(data_root="data/MOT15/test"))
