# The paper's ablation split of MOT17 (Appendix A.2) in clips of two frames: the first half of each
# training sequence against its last quarter, with the public detections of DPM, FRCNN and SDP.
_base_ = "mot17half.py"
train_pipeline = [
    dict(type="Letterbox", size=step["size"]) if step["type"] == "RandomAffineLetterbox" else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(
    batch_size=1,
    dataset=dict(split="deepmot_train", view="clips", clip_length=2, pipeline=train_pipeline),
)
val_dataloader = dict(
    dataset=dict(split="deepmot_val", sequences=["*"], with_detections="det/det.txt"),
)
test_dataloader = val_dataloader
