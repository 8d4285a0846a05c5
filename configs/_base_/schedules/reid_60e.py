# Sun et al. 2018, Sec. 4.2 (IDE and PCB): SGD, 60 epochs, 0.1, x0.1 at 40; a backbone that comes
# with ImageNet weights learns at a tenth.
effective_batch_size = 64
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys={"backbone": dict(lr_mult=0.1)}),
)
param_scheduler = [dict(type="MultiStepLR", milestones=[40], gamma=0.1)]
train_cfg = dict(type="EpochTrainLoop", max_epochs=60, val_interval=20)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
