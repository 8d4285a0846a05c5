# The small Faster R-CNN.
_base_ = ["rcnn_r50.py", "rcnn_small.py"]
rcnn = dict(
    **_base_.small,
    roi_head=dict(bbox_roi_extractor=_base_.small_extractor, bbox_head=_base_.small_head),
    train_cfg=dict(
        rpn_proposal=_base_.small_proposals,
        rcnn=dict(sampler=dict(num=_base_.small_samples)),
    ),
)
