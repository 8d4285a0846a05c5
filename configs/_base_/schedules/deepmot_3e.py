# For the small followers, four clips a step for a few minutes. So short a training at a constant
# rate ends wherever its last steps have led: the rate falls to nothing, and the weights' moving
# average is tested.
_base_ = "deepmot_18e.py"
effective_batch_size = 4
max_epochs = 3
param_scheduler = [
    dict(type="CosineAnnealingLR", eta_min=0.0, T_max=max_epochs, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=max_epochs, val_begin=max_epochs + 1)  # tools/test.py scores it
# For custom_hooks.
ema = dict(type="MovingAverageHook", momentum=0.01)
