# A small GOTURN learns by the DeepMOT loss from nothing: within a minute two CPU cores show how
# FP, FN and IDS fall, dMOTA and dMOTP rise. It has no statistics to keep yet, and learns ten times
# as fast as the paper's pre-trained one (goturn_mot17_deepmot.py).
_base_ = [
    "../_base_/models/goturn_small.py",
    "../_base_/models/deepmot.py",
    "../_base_/datasets/synthmot_small_clips.py",
    "../_base_/schedules/deepmot_15e.py",
    "../_base_/trackers/mot_by_sot.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_size=4)
effective_batch_size = 4
optim_wrapper = dict(optimizer=dict(lr=1e-3))
model = dict(
    follower=_base_.follower,
    tracker=_base_.tracker,
    norm_eval=False,
)
