# Cascade R-CNN (ResNet-50), linked by SORT; trains the detector.
_base_ = ["../../_base_/sde/cascade_rcnn_r50_joint.py", "../../_base_/trackers/sort.py"]
model = dict(tracker=_base_.tracker)
