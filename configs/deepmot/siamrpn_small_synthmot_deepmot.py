# The small SiamRPN on SynthMOT at 512x288, trained by the DeepMOT loss; from the pre-trained one:
#     python tools/train.py configs/sot/siamrpn_small_synthmot.py
#     python tools/train.py configs/deepmot/siamrpn_small_synthmot_deepmot.py \
#         --cfg-options load_from=work_dirs/siamrpn_small_synthmot/epoch_5.pth
_base_ = [
    "../_base_/models/siamrpn_small.py",
    "../_base_/models/deepmot_small.py",
    "../_base_/datasets/synthmot_small_clips.py",
    "../_base_/schedules/deepmot_3e.py",
    "../_base_/trackers/mot_by_sot_visible_first.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(optimizer=dict(lr=3e-4))
model = dict(follower=_base_.follower, tracker=_base_.tracker)
custom_hooks = [*_base_.custom_hooks, _base_.ema]
