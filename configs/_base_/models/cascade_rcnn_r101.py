# Cascade R-CNN with ResNet-101.
_base_ = "cascade_rcnn_r50.py"
rcnn = dict(backbone=dict(depth=101))
