# The two real sequences at 640x480 in clips of two frames; scored with public detections.
_base_ = "pets_public.py"
train_pipeline = [
    dict(type="Letterbox", size=step["size"]) if step["type"] == "RandomAffineLetterbox" else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(
    batch_size=1,
    dataset=dict(pipeline=train_pipeline, dataset_defaults=dict(view="clips", clip_length=2)),
)
