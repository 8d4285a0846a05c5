# The paper's recipe: six datasets (Table 2), DarkNet-53 from ImageNet weights
# (https://pjreddie.com/media/files/darknet53.conv.74). Its normalisation keeps scale and shift.
_base_ = [
    "../_base_/models/jde_darknet53.py",
    "../_base_/datasets/joint.py",
    "../_base_/schedules/jde_30e.py",
    "../_base_/trackers/jde_paper.py",
    "../_base_/default_runtime.py",
]
pretrained = dict(type="DarknetPretrainedInit", checkpoint="data/pretrained/darknet53.conv.74")
model = dict(
    detector=dict(backbone=dict(init_cfg=pretrained)),
    tracker=_base_.tracker,
)
