# The paper's recipe: six datasets, DLA-34 from COCO detection. CenterNet's ctdet_coco_dla_2x.pth
# becomes the file below by
#     python tools/model_converters/fairmot.py ctdet_coco_dla_2x.pth FILE --partial
_base_ = [
    "../_base_/models/fairmot_dla34.py",
    "../_base_/datasets/joint.py",
    "../_base_/schedules/fairmot_30e.py",
    "../_base_/trackers/fairmot.py",
    "../_base_/default_runtime.py",
]
load_from = "data/pretrained/ctdet_coco_dla_2x_converted.pth"
model = dict(tracker=_base_.tracker)
