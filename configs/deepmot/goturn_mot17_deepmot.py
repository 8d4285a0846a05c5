# GOTURN on MOT17's first halves, tested on the last quarters on public detections: all of it learns
# by the DeepMOT loss, on the paper's schedule, with our matcher and gate (the paper's:
# goturn_mot17_deepmot_dhn.py). From the pre-trained network:
#     --cfg-options load_from=work_dirs/goturn_mot17/epoch_50.pth
_base_ = [
    "../_base_/models/goturn.py",
    "../_base_/models/deepmot.py",
    "../_base_/datasets/mot17_clips_rescored.py",
    "../_base_/schedules/deepmot_15e.py",
    "../_base_/trackers/mot_by_sot.py",
    "../_base_/default_runtime.py",
]
model = dict(
    follower=_base_.follower,
    tracker=_base_.tracker,
    camera=_base_.camera,
    compensate=True,
)
