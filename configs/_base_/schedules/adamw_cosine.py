# From scratch within a few epochs: AdamW, a short warm-up, cosine, averaged weights. The loss
# weights learn ten times as fast: Adam moves them by the learning rate a step, whatever the loss.
max_epochs = 5
effective_batch_size = 4
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=2e-3, weight_decay=1e-2, fused=True),
    clip_grad=dict(max_norm=10),
    paramwise_cfg=dict(custom_keys={"balance": dict(lr_mult=10, decay_mult=0)}),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.02, by_epoch=False, end=50),
    dict(
        type="CosineAnnealingLR", eta_min_ratio=0.01, T_max=max_epochs, convert_to_iter_based=True
    ),
]
train_cfg = dict(type="EpochTrainLoop", max_epochs=max_epochs, val_interval=max_epochs)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
# For custom_hooks.
ema = dict(type="MovingAverageHook", momentum=0.01, begin_iter=50, update_buffers=True)
