# SiamRPN on pairs of SynthMOT's frames: what DeepMOT's Table 3 calls pre-trained.
_base_ = [
    "../_base_/models/siamrpn.py",
    "../_base_/datasets/synthmot_pairs.py",
    "../_base_/schedules/siamrpn_50e.py",
    "../_base_/trackers/mot_by_sot.py",
    "../_base_/default_runtime.py",
]
model = dict(
    type="SOTPairModel",
    follower=_base_.follower,
    tracker=_base_.tracker,
    loss=dict(type="SiamRPNPairLoss"),
)
