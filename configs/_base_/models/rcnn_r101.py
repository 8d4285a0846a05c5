# Faster R-CNN with ResNet-101.
_base_ = "rcnn_r50.py"
rcnn = dict(backbone=dict(depth=101))
