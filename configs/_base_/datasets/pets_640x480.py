# The two real sequences at 640x480.
_base_ = "pets.py"
input_size = (640, 480)
train_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.train_pipeline
]
test_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.test_pipeline
]
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
