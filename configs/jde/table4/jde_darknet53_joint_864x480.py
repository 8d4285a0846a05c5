# Table 4: trained and tested at 864x480 (the paper prints 864x408, which 32 does not divide).
_base_ = "../jde_darknet53_joint.py"
input_size = (864, 480)
train_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.train_pipeline
]
test_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.test_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(
    dataset=dict(
        data_root="data/MOT16/test",
        sequences=None,
        require_gt=False,
        clip_length=1,  # frames/s as online
        pipeline=test_pipeline,
    ),
)
task_dataloaders = dict(
    detection=dict(dataset=dict(pipeline=test_pipeline)),
    embedding=dict(dataset=dict(pipeline=test_pipeline)),
)
model = dict(detector=dict(bbox_head=dict(anchors="published_864")))
