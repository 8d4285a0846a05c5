# Table 1: SORT instead of JDE's association, on the same detections.
_base_ = [
    "../../_base_/models/jde_darknet53.py",
    "../../_base_/datasets/joint.py",
    "../../_base_/schedules/jde_30e.py",
    "../../_base_/trackers/sort.py",
    "../../_base_/default_runtime.py",
]
work_dir = "work_dirs/jde_darknet53_joint"
test_dataloader = dict(dataset=dict(clip_length=1))  # frames/s as online
model = dict(tracker=_base_.tracker)
