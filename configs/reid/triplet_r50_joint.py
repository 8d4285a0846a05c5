# Batch-hard triplets, on the data that JDE is trained on (JDE paper, Sec. 4.4). Meant to start
# from ImageNet weights, a file of torchvision's:
#   --cfg-options model.reid.backbone.init_cfg.type=Pretrained \
#                 model.reid.backbone.init_cfg.checkpoint=FILE
_base_ = [
    "../_base_/models/reid_triplet_r50.py",
    "../_base_/datasets/joint_crops.py",
    "../_base_/schedules/reid_triplet_60e.py",
    "../_base_/default_runtime.py",
]
val_evaluator = test_evaluator = dict(_delete_=True, type="EmbeddingMetric")
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor"),  # RGB / 255
    reid=_base_.reid,
    task="embedding",
)
