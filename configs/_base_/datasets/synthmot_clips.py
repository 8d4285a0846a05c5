# SynthMOT at 1088x608 in clips of two consecutive frames, for DeepMOT training; scored with its
# public detections. All frames of a clip get the same augmentation.
# Longer clips: train_dataloader = dict(dataset=dict(clip_length=10)).
_base_ = "synthmot.py"
train_pipeline = [
    dict(type="Letterbox", size=step["size"]) if step["type"] == "RandomAffineLetterbox" else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(
    batch_size=1,
    dataset=dict(view="clips", clip_length=2, pipeline=train_pipeline),
)
val_dataloader = dict(dataset=dict(with_detections="det/det.txt"))
test_dataloader = val_dataloader
