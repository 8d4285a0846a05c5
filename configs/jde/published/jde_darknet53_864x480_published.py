# To test a published checkpoint of this size, converted by tools/model_converters/jde.py.
_base_ = "jde_darknet53_1088x608_published.py"
input_size = (864, 480)
train_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.train_pipeline
]
test_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.test_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
task_dataloaders = dict(
    detection=dict(dataset=dict(pipeline=test_pipeline)),
    embedding=dict(dataset=dict(pipeline=test_pipeline)),
)
model = dict(detector=dict(bbox_head=dict(anchors="published_864")))
