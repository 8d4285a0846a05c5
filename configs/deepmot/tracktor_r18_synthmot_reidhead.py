# The small Tracktor with an appearance head that learns with it (+ReIDhead): clips of ten frames,
# each from one start, the cosine distance of a track's past as a term of D.
_base_ = [
    "../_base_/models/tracktor_r18_reid_head.py",
    "../_base_/models/deepmot_small.py",
    "../_base_/datasets/synthmot_small_clips.py",
    "../_base_/schedules/deepmot_3e.py",
    "../_base_/trackers/tracktor_reid_motion.py",
    "../_base_/default_runtime.py",
]
effective_batch_size = 1
# The head starts from nothing, and in a few minutes hardly moves at the rate of the regression.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(embedding_head=dict(lr_mult=10.0))))
train_dataloader = dict(dataset=dict(clip_length=10, stride=2))
model = dict(
    follower=_base_.follower,
    starts_per_clip=1,
    criterion=dict(appearance="term"),
    trainable=["detector.roi_head.bbox_head.fc_reg.*", "embedding_head.*"],
    tracker=_base_.tracker,
    camera=_base_.camera,
    detections="refined",
    data_preprocessor=dict(type="MOTDataPreprocessor", channels_last=True),
)
custom_hooks = [*_base_.custom_hooks, _base_.ema]
