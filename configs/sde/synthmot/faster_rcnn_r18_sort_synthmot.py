# The small Faster R-CNN, linked by SORT; trains the detector.
_base_ = ["../../_base_/sde/faster_rcnn_r18_synthmot.py", "../../_base_/trackers/sort.py"]
model = dict(tracker=_base_.tracker)
