# Paper, Appendix A.2: Adam, 1e-4, 18 epochs (Tracktor). One clip a step.
effective_batch_size = 1
max_epochs = 18
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-4))
param_scheduler = []
train_cfg = dict(type="EpochTrainLoop", max_epochs=max_epochs, val_interval=max_epochs)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
