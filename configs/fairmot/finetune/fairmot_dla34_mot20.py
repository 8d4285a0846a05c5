# Sec. 4.4, as fairmot_dla34_mot17.py, on MOT20.
_base_ = "fairmot_dla34_mot17.py"
train_dataloader = dict(dataset=dict(data_root="data/MOT20/train"))
test_dataloader = dict(dataset=dict(data_root="data/MOT20/test"))
