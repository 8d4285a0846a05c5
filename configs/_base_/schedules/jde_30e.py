# Paper, Sec. 4.2: SGD, 30 epochs, 1e-2, x0.1 at 15 and 23. Batch 32 in all (8 processes of 4, or
# fewer that accumulate). The warm-up is the published code's: (i / n)^4, n = min(1000, epoch).
effective_batch_size = 32
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=1e-2, momentum=0.9, weight_decay=1e-4),
)
param_scheduler = [
    dict(type="PowerWarmupLR", power=4, end=1000, convert_to_iter_based=True),
    dict(type="MultiStepLR", milestones=[15, 23], gamma=0.1),
]
train_cfg = dict(type="EpochTrainLoop", max_epochs=30, val_interval=5)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
