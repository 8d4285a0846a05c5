# Faster R-CNN with ResNet-50 on JDE's joint training set, from ImageNet weights.
_base_ = [
    "../models/rcnn_r50.py",
    "../datasets/joint.py",
    "../schedules/sgd_12e.py",
    "../default_runtime.py",
]
pretrained = dict(type="Pretrained", checkpoint="torchvision://resnet50")
backbone = {**_base_.rcnn.backbone, "init_cfg": pretrained}
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor"),  # RGB / 255
    detector=dict(type="BoxDetector", detector={**_base_.rcnn, "backbone": backbone}),
)
