# The small Cascade R-CNN.
_base_ = ["cascade_rcnn_r50.py", "rcnn_small.py"]
rcnn = dict(
    **_base_.small,
    roi_head=dict(
        bbox_roi_extractor=_base_.small_extractor,
        bbox_head=[{**head, **_base_.small_head} for head in _base_.rcnn.roi_head.bbox_head],
    ),
    train_cfg=dict(
        rpn_proposal=_base_.small_proposals,
        rcnn=[
            {**stage, "sampler": {**stage.sampler, "num": _base_.small_samples}}
            for stage in _base_.rcnn.train_cfg.rcnn
        ],
    ),
)
