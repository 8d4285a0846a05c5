# MOT17's training half of the paper's split (see mot17_clips.py) in pairs of frames at most ten
# apart, for single-object training; scored on its validation part with public detections of fewer
# false positives (see mot17_clips_rescored.py).
_base_ = "mot17half.py"
mild = dict(degrees=2.0, scale=(0.8, 1.5))
changes = dict(RandomAffineLetterbox=mild, LoadTracks=dict(min_visibility=0.5))
train_pipeline = [{**step, **changes.get(step["type"], {})} for step in _base_.train_pipeline]
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="FramePairDataset",
        max_distance=10,
        dataset={
            **_base_.train_dataloader.dataset,
            "split": "deepmot_train",
            "pipeline": train_pipeline,
        },
    ),
)
val_dataloader = dict(
    dataset=dict(split="deepmot_val", sequences=["*"], with_detections="det/rescored.txt"),
)
test_dataloader = val_dataloader
