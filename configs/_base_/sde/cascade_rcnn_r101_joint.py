# Cascade R-CNN with ResNet-101 on JDE's joint training set, from ImageNet weights.
_base_ = [
    "../models/cascade_rcnn_r101.py",
    "../datasets/joint.py",
    "../schedules/sgd_12e.py",
    "../default_runtime.py",
]
pretrained = dict(type="Pretrained", checkpoint="torchvision://resnet101")
backbone = {**_base_.rcnn.backbone, "init_cfg": pretrained}
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor"),  # RGB / 255
    detector=dict(type="BoxDetector", detector={**_base_.rcnn, "backbone": backbone}),
)
