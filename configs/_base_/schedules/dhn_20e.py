# Paper, Appendix A.1: RMSprop, 3e-4, x0.95 every 20,000 iterations, 20 epochs.
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="RMSprop", lr=3e-4))
param_scheduler = [dict(type="StepLR", step_size=20000, gamma=0.95, by_epoch=False)]
train_cfg = dict(type="EpochTrainLoop", max_epochs=20, val_interval=1)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
