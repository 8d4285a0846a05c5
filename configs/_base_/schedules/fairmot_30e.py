# Paper, Sec. 4.2: Adam, 30 epochs, 1e-4, x0.1 at 20 and 27 (published code: at 20). Batch 12 in all
# (several processes, or fewer images that accumulate).
effective_batch_size = 12
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-4))
param_scheduler = [dict(type="MultiStepLR", milestones=[20, 27], gamma=0.1)]
train_cfg = dict(type="EpochTrainLoop", max_epochs=30, val_interval=5)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
