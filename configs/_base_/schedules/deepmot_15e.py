# Paper, Appendix A.2: single-object trackers train for 15 epochs.
_base_ = "deepmot_18e.py"
max_epochs = 15
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
