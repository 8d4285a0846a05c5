# MOT17's training half of the paper's split (see mot17_clips.py) as single frames at Tracktor's
# size; scored on its validation part with the public detections of DPM, FRCNN and SDP.
_base_ = "mot17half.py"
input_size = (1344, 768)
train_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.train_pipeline
]
test_pipeline = [
    {**step, "size": input_size} if "size" in step else step for step in _base_.test_pipeline
]
train_dataloader = dict(batch_size=2, dataset=dict(split="deepmot_train", pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        split="deepmot_val",
        sequences=["*"],
        with_detections="det/det.txt",
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
