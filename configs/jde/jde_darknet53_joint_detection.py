# To test what jde_darknet53_joint.py trained as the paper does (Sec. 4.1): --eval detection
_base_ = [
    "../_base_/models/jde_darknet53.py",
    "../_base_/datasets/joint_detection.py",
    "../_base_/schedules/jde_30e.py",
    "../_base_/trackers/jde_paper.py",
    "../_base_/default_runtime.py",
]
model = dict(tracker=_base_.tracker)
