# Li et al., CVPR 2018, Sec. 4.1: SGD, 50 epochs, the rate falls from 1e-2 to 1e-6 in even steps of
# its logarithm. Four pairs of frames with up to 16 targets each make a step.
max_epochs = 50
effective_batch_size = 4
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=1e-2, momentum=0.9, weight_decay=5e-4),
    clip_grad=dict(max_norm=10),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, by_epoch=False, end=200),
    dict(type="ExponentialLR", gamma=1e-4 ** (1 / max_epochs)),
]
train_cfg = dict(type="EpochTrainLoop", max_epochs=max_epochs, val_interval=max_epochs)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
