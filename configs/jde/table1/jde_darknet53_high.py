# Table 1: JDE's association at high density, on a video of the CVPR 2019 challenge (MOT20-01 shows
# the same: data/MOT20/train).
_base_ = "jde_darknet53_low.py"
test_dataloader = dict(dataset=dict(data_root="data/CVPR19/train", sequences=["CVPR19-01"]))
