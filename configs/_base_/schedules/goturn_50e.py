# From scratch. Held et al., ECCV 2016, Sec. 5, train the fully connected layers alone, over
# CaffeNet's convolutions from ImageNet, by SGD; without those weights Adam gets there.
max_epochs = 50
effective_batch_size = 4
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="Adam", lr=1e-4),
    clip_grad=dict(max_norm=10),
)
param_scheduler = [dict(type="MultiStepLR", milestones=[30, 45], gamma=0.1)]
train_cfg = dict(type="EpochTrainLoop", max_epochs=max_epochs, val_interval=max_epochs)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
