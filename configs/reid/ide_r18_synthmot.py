# IDE: a classifier of people, SynthMOT at 512x288, from scratch within minutes on a CPU.
_base_ = [
    "../_base_/models/reid_ide_r18.py",
    "../_base_/datasets/synthmot_small_crops.py",
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
