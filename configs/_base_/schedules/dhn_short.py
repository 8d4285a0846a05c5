# An hour of a CPU core where the paper has six of a GPU: AdamW, warm-up, one cosine; with --amp.
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=1e-4, fused=True),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.02, by_epoch=False, end=100),
    dict(type="CosineAnnealingLR", eta_min_ratio=0.01, T_max=1, convert_to_iter_based=True),
]
train_cfg = dict(type="EpochTrainLoop", max_epochs=1, val_interval=1)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
