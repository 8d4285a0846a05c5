# Faster R-CNN with ResNet-50 on JDE's joint training set. Meant to start from ImageNet weights, a
# file of torchvision's:
#   --cfg-options model.detector.detector.backbone.init_cfg.type=Pretrained \
#                 model.detector.detector.backbone.init_cfg.checkpoint=FILE
_base_ = [
    "../models/rcnn_r50.py",
    "../datasets/joint.py",
    "../schedules/sgd_12e.py",
    "../default_runtime.py",
]
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor"),  # RGB / 255
    detector=dict(type="BoxDetector", detector=_base_.rcnn),
)
