# mot17_clips.py at Tracktor's size.
_base_ = "mot17_clips.py"
input_size = (1344, 768)
train_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.train_pipeline
]
test_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.test_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
