# The ReID network of trackers with an external one (+ReIDext), MOT17, from scratch. Used by a
# tracker as model.reid with weights=CHECKPOINT; judged by tools/test.py ... --eval embedding.
_base_ = [
    "../_base_/models/reid_r50.py",
    "../_base_/datasets/mot17_crops.py",
    "../_base_/schedules/adamw_cosine_16e.py",
    "../_base_/default_runtime.py",
]
effective_batch_size = None
val_cfg = val_dataloader = val_evaluator = None
optim_wrapper = dict(optimizer=dict(lr=1e-3))
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(  # as the trackers that take it see images
        type="MOTDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]
    ),
    reid=_base_.reid,
    task="embedding",
)
