# Crops of the people in the first halves of MOT17's training sequences; tested on last quarters.
_base_ = ["mot17half.py"]
crop_size = (128, 256)
crop_pipeline = [
    dict(type="LoadFrame"),
    dict(type="LoadTracks"),
    dict(type="CropBox", size=crop_size, shift=0.05, scale=(0.95, 1.1)),
    dict(type="HSVJitter", fraction=0.2),
    dict(type="RandomFlipTracks"),
    dict(type="PackFrame"),
]
train_dataloader = dict(
    batch_size=64,
    sampler=dict(_delete_=True, type="IdentitySampler", crops=4, groups=16),
    dataset=dict(
        _delete_=True,
        type="IdentityCropDataset",
        dataset=dict(
            type="MOTChallengeDataset", data_root="data/MOT17/train", split="deepmot_train"
        ),
        pipeline=crop_pipeline,
    ),
)
val_dataloader = dict(dataset=dict(split="deepmot_val"))
test_dataloader = val_dataloader
