# Tracktor on ResNet-50 learns by the DeepMOT loss from nothing: within 90 s two CPU cores show how
# FP, FN and IDS fall, dMOTA and dMOTP rise. All that the loss reaches learns (proposals and classes
# are not among it: to track takes a pre-trained network), and there are no statistics to keep yet.
# Encoding a frame is what a step costs, and its seven people are few to learn from: each clip is
# followed from eight starts.
# Its regression layer alone, from a pre-trained network, on its statistics:
#     --cfg-options load_from=work_dirs/faster_rcnn_r50_synthmot/epoch_5.pth \
#     model.trainable="[detector.roi_head.bbox_head.fc_reg.*]" model.norm_eval=True
_base_ = [
    "../_base_/models/tracktor_r50.py",
    "../_base_/models/deepmot.py",
    "../_base_/datasets/synthmot_small_clips.py",
    "../_base_/schedules/deepmot_18e.py",
    "../_base_/trackers/tracktor.py",
    "../_base_/default_runtime.py",
]
default_hooks = dict(logger=dict(interval=25))  # a step takes two CPU cores 0.7 s
model = dict(
    follower=_base_.follower,
    starts_per_clip=8,
    norm_eval=False,
    tracker=_base_.tracker,
    camera=_base_.camera,
    detections="refined",
)
