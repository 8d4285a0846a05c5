# The small SiamRPN on the two real sequences at 640x480, trained by the DeepMOT loss. Pre-trained:
#     --cfg-options load_from=work_dirs/siamrpn_small_pets/epoch_16.pth
_base_ = [
    "../_base_/models/siamrpn_small.py",
    "../_base_/models/deepmot_small.py",
    "../_base_/datasets/pets_clips.py",
    "../_base_/schedules/deepmot_3e.py",
    "../_base_/trackers/mot_by_sot_visible_first.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(optimizer=dict(lr=3e-4))
model = dict(follower=_base_.follower, tracker=_base_.tracker, camera=_base_.camera)
custom_hooks = [*_base_.custom_hooks, _base_.ema]
