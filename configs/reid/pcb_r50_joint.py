# PCB: six stripes of a person, on the data that JDE is trained on (JDE paper, Sec. 4.4), from
# ImageNet weights.
_base_ = [
    "../_base_/models/reid_pcb_r50.py",
    "../_base_/datasets/joint_crops.py",
    "../_base_/schedules/reid_60e.py",
    "../_base_/default_runtime.py",
]
# Higher crops.
crop_size = _base_.reid.crop_size
crop_pipeline = [
    {**step, "size": crop_size} if step["type"] == "CropBox" else step
    for step in _base_.crop_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=crop_pipeline))
val_evaluator = test_evaluator = dict(_delete_=True, type="EmbeddingMetric")
pretrained = dict(type="Pretrained", checkpoint="torchvision://resnet50")
backbone = {**_base_.reid.backbone, "init_cfg": pretrained}
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor"),  # RGB / 255
    reid={**_base_.reid, "backbone": backbone},
    task="embedding",
)
