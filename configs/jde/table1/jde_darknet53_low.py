# Table 1: JDE's association at low density, on MOT15's training videos that nothing was trained on.
#     python tools/test.py THIS_CONFIG     (weights: the newest of jde_darknet53_joint.py)
_base_ = "../jde_darknet53_joint.py"
work_dir = "work_dirs/jde_darknet53_joint"
test_dataloader = dict(dataset=dict(clip_length=1))  # frames/s as online
