# PCB: six stripes of a person, SynthMOT at 1088x608, from scratch.
_base_ = [
    "../_base_/models/reid_pcb_r50.py",
    "../_base_/datasets/synthmot_crops.py",
    "../_base_/schedules/adamw_cosine_16e.py",
    "../_base_/default_runtime.py",
]
effective_batch_size = None
optim_wrapper = dict(optimizer=dict(lr=1e-3))
# Higher crops.
crop_size = _base_.reid.crop_size
crop_pipeline = [
    {**step, "size": crop_size} if step["type"] == "CropBox" else step
    for step in _base_.crop_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=crop_pipeline))
val_evaluator = test_evaluator = dict(_delete_=True, type="EmbeddingMetric")
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor"),  # RGB / 255
    reid=_base_.reid,
    task="embedding",
)
