# Batch-hard triplets, SynthMOT at 1088x608, from scratch.
_base_ = [
    "../_base_/models/reid_triplet_r50.py",
    "../_base_/datasets/synthmot_crops.py",
    "../_base_/schedules/adamw_cosine_16e.py",
    "../_base_/default_runtime.py",
]
effective_batch_size = None
optim_wrapper = dict(optimizer=dict(lr=1e-3))
val_evaluator = test_evaluator = dict(_delete_=True, type="EmbeddingMetric")
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor"),  # RGB / 255
    reid=_base_.reid,
    task="embedding",
)
