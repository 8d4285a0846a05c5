# The two real sequences at 640x480 in pairs of frames at most ten apart, for single-object
# training; scored with public detections.
_base_ = "pets_public.py"
mild = dict(degrees=2.0, scale=(0.8, 1.5))
train_pipeline = [
    {**step, **mild} if step["type"] == "RandomAffineLetterbox" else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="FramePairDataset",
        max_distance=10,
        dataset={**_base_.train_dataloader.dataset, "pipeline": train_pipeline},
    ),
)
