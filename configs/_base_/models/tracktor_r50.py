# Tracktor (Bergmann et al. 2019) on mmdet's Faster R-CNN: ResNet-50 with FPN, one class, boxes and
# proposals not suppressed below the published 0.3.
_base_ = "rcnn_r50.py"
follower = dict(type="Tracktor", detector=_base_.rcnn)
follower["detector"].test_cfg.rcnn.nms.iou_threshold = 0.3
