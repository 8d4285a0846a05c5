# A detector from pretrained weights, as mmdet's 1x schedule: SGD, 12 epochs, x0.1 at 8 and 11, the
# learning rate of 16 images scaled to 4.
effective_batch_size = 4
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.005, momentum=0.9, weight_decay=1e-4),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, end=500),
    dict(type="MultiStepLR", milestones=[8, 11], gamma=0.1),
]
train_cfg = dict(type="EpochTrainLoop", max_epochs=12, val_interval=4)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
