# Batch-hard triplets, on the data that JDE is trained on (JDE paper, Sec. 4.4), from ImageNet
# weights.
_base_ = [
    "../_base_/models/reid_triplet_r50.py",
    "../_base_/datasets/joint_crops.py",
    "../_base_/schedules/reid_triplet_60e.py",
    "../_base_/default_runtime.py",
]
val_evaluator = test_evaluator = dict(_delete_=True, type="EmbeddingMetric")
pretrained = dict(type="Pretrained", checkpoint="torchvision://resnet50")
backbone = {**_base_.reid.backbone, "init_cfg": pretrained}
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor"),  # RGB / 255
    reid={**_base_.reid, "backbone": backbone},
    task="embedding",
)
