# The two real sequences at 640x480 in clips of two frames; scored with public detections.
_base_ = "pets_640x480.py"
train_pipeline = [
    dict(type="Letterbox", size=step["size"]) if step["type"] == "RandomAffineLetterbox" else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(
    batch_size=1,
    dataset=dict(pipeline=train_pipeline, dataset_defaults=dict(view="clips", clip_length=2)),
)
val_dataloader = dict(dataset=dict(with_detections="det/det.txt"))
test_dataloader = dict(
    dataset=dict(dataset_defaults=dict(with_detections="det/det.txt")),
)
