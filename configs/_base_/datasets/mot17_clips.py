# The paper's ablation split of MOT17 (Appendix A.2) in clips of two frames: the first half of each
# training sequence against its last quarter, with the public detections of DPM, FRCNN and SDP. Only
# boxes are augmented (the start of a clip), no images, as in the paper.
_base_ = "mot17half.py"
# The paper's 35,836 boxes are those of whom half is to be seen: in the first halves of four of the
# seven sequences there are 38,774 boxes, 24,967 of them of visibility 0.5 and more.
own_steps = dict(
    RandomAffineLetterbox=dict(type="Letterbox", size=_base_.input_size),
    LoadTracks=dict(type="LoadTracks", min_visibility=0.5),
)
train_pipeline = [
    own_steps.get(step["type"], step)
    for step in _base_.train_pipeline
    if step["type"] not in ("HSVJitter", "RandomFlipTracks")
]
train_dataloader = dict(
    batch_size=1,
    dataset=dict(split="deepmot_train", view="clips", clip_length=2, pipeline=train_pipeline),
)
val_dataloader = dict(
    dataset=dict(split="deepmot_val", sequences=["*"], with_detections="det/det.txt"),
)
test_dataloader = val_dataloader
