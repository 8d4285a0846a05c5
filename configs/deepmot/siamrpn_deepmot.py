# SiamRPN, trained by the DeepMOT loss, on small SynthMOT frames so that a CPU can show how it goes.
# From the pre-trained network:  --cfg-options load_from=work_dirs/siamrpn_synthmot/epoch_50.pth
_base_ = [
    "../_base_/models/siamrpn.py",
    "../_base_/models/deepmot.py",
    "../_base_/datasets/synthmot_small_clips.py",
    "../_base_/schedules/deepmot_15e.py",
    "../_base_/trackers/mot_by_sot.py",
    "../_base_/default_runtime.py",
]
model = dict(follower=_base_.follower, tracker=_base_.tracker)
