# A Tracktor for minutes on a CPU at 512x288, on the small Faster R-CNN.
_base_ = "rcnn_r18.py"
follower = dict(type="Tracktor", detector=_base_.rcnn)
follower["detector"].test_cfg.rcnn.nms.iou_threshold = 0.3
