# Real input at a small scale. Trained on PETS09-S2L1 frames 1-600 and TUD-Stadtmitte. Tested on
# PETS 601-795 (the same scene, later: six of its nine people were seen in training) and on
# MOT17-11 at 960x540, of which nothing was seen.
_base_ = "mot_challenge.py"
data_root = "../shared/data/mot"
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="JointDataset",
        pipeline=_base_.train_pipeline,
        dataset_defaults=dict(data_root=data_root),
        datasets=[
            dict(type="MOTChallengeDataset", sequences=["PETS09-S2L1"], frame_range=(1, 600)),
            dict(type="MOTChallengeDataset", sequences=["TUD-Stadtmitte"]),
        ],
    ),
)
val_dataloader = dict(
    dataset=dict(data_root=data_root, sequences=["PETS09-S2L1"], frame_range=(601, 795)),
)
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="JointDataset",
        pipeline=_base_.test_pipeline,
        test_mode=True,
        dataset_defaults=dict(data_root=data_root, view="video", clip_length=4),
        datasets=[
            dict(type="MOTChallengeDataset", sequences=["PETS09-S2L1"], frame_range=(601, 795)),
            dict(type="MOTChallengeDataset", sequences=["MOT17-11-540p"]),
        ],
    ),
)
