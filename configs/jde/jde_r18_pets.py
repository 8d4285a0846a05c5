# A small JDE on real video, from scratch on a CPU; see _base_/datasets/pets.py for what is tested.
_base_ = [
    "../_base_/models/jde_r18.py",
    "../_base_/datasets/pets.py",
    "../_base_/schedules/jde_30e.py",
    "../_base_/trackers/jde_code.py",
    "../_base_/default_runtime.py",
]
input_size = (640, 480)
train_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.train_pipeline
]
test_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.test_pipeline
]
effective_batch_size = 8
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
model = dict(
    # As in the demo: every person gets an anchor, and scores start low, where most of them stay.
    detector=dict(bbox_head=dict(match_best=True, prior=0.01)),
    tracker=_base_.tracker,
)
