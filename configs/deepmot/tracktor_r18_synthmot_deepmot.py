# The small Tracktor on SynthMOT at 512x288: its regression layer learns by the DeepMOT loss, all
# else stays as the detector's training left it. From the pre-trained network:
#     python tools/train.py configs/deepmot/detector/faster_rcnn_r18_synthmot.py
#     python tools/train.py configs/deepmot/tracktor_r18_synthmot_deepmot.py \
#         --cfg-options load_from=work_dirs/faster_rcnn_r18_synthmot/epoch_5.pth
_base_ = [
    "../_base_/models/tracktor_r18.py",
    "../_base_/models/deepmot_small.py",
    "../_base_/datasets/synthmot_small_clips.py",
    "../_base_/schedules/deepmot_3e.py",
    "../_base_/trackers/tracktor_motion.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_size=4)
model = dict(
    follower=_base_.follower,
    trainable=["detector.roi_head.bbox_head.fc_reg.*"],
    tracker=_base_.tracker,
    camera=_base_.camera,
    detections="refined",
    data_preprocessor=dict(type="MOTDataPreprocessor", channels_last=True),
)
custom_hooks = [*_base_.custom_hooks, _base_.ema]
