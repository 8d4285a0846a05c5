# MOTChallenge folders, whole sequences. The other dataset files change what differs.
# Another input size in a config that inherits from one of them:
#     train_pipeline = [
#         {**step, 'size': (864, 480)} if 'size' in step else step for step in _base_.train_pipeline
#     ]
#     train_dataloader = dict(dataset=dict(pipeline=train_pipeline))       (test_pipeline likewise)
data_root = "data/MOT17/train"
val_root = "data/MOT15/train"
input_size = (1088, 608)  # width, height

train_pipeline = [
    dict(type="LoadFrame"),
    dict(type="LoadTracks"),
    dict(type="RandomAffineLetterbox", size=input_size),
    dict(type="HSVJitter"),
    dict(type="RandomFlipTracks"),
    dict(type="PackFrame"),
]
test_pipeline = [
    dict(type="LoadFrame"),
    dict(type="Letterbox", size=input_size),
    dict(type="LoadTracks"),  # after the letterbox: ground truth stays in original pixels
    dict(type="PackFrame"),
]
train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="ResumableSampler"),
    dataset=dict(type="MOTChallengeDataset", data_root=data_root, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="SequenceSampler"),
    dataset=dict(
        type="MOTChallengeDataset",
        data_root=val_root,
        pipeline=test_pipeline,
        view="video",
        clip_length=4,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="MOTMetric")
test_evaluator = val_evaluator
