# Table 1: SORT at high density, as jde_darknet53_high.py.
_base_ = "jde_darknet53_sort_low.py"
test_dataloader = dict(dataset=dict(data_root="data/CVPR19/train", sequences=["CVPR19-01"]))
