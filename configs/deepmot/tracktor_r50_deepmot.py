# Tracktor on ResNet-50, its regression layer trained by the DeepMOT loss, on small SynthMOT frames
# so that a CPU can show how it goes. From the pre-trained network:
#     --cfg-options load_from=work_dirs/faster_rcnn_r50_synthmot/epoch_5.pth
_base_ = [
    "../_base_/models/tracktor_r50.py",
    "../_base_/models/deepmot.py",
    "../_base_/datasets/synthmot_small_clips.py",
    "../_base_/schedules/deepmot_18e.py",
    "../_base_/trackers/tracktor.py",
    "../_base_/default_runtime.py",
]
model = dict(
    follower=_base_.follower,
    trainable=["detector.roi_head.bbox_head.fc_reg.*"],
    tracker=_base_.tracker,
    camera=_base_.camera,
    detections="refined",
)
