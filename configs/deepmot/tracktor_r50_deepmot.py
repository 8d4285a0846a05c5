# Tracktor on ResNet-50, its regression layer trained by the DeepMOT loss, on small SynthMOT frames
# so that a CPU shows how it goes: one layer, on features of nothing, at a rate of 1e-2. From the
# pre-trained network, at the paper's:
#     --cfg-options load_from=work_dirs/faster_rcnn_r50_synthmot/epoch_5.pth \
#     optim_wrapper.optimizer.lr=1e-4
_base_ = [
    "../_base_/models/tracktor_r50.py",
    "../_base_/models/deepmot.py",
    "../_base_/datasets/synthmot_small_clips.py",
    "../_base_/schedules/deepmot_18e.py",
    "../_base_/trackers/tracktor.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_size=4)
effective_batch_size = 4
optim_wrapper = dict(optimizer=dict(lr=1e-2))
model = dict(
    follower=_base_.follower,
    trainable=["detector.roi_head.bbox_head.fc_reg.*"],
    tracker=_base_.tracker,
    camera=_base_.camera,
    detections="refined",
)
