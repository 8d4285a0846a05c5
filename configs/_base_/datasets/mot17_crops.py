# Crops of the people in the first halves of MOT17's training sequences; tested on last quarters.
_base_ = ["mot17half.py", "crop_pipeline.py"]
train_dataloader = dict(
    batch_size=64,
    sampler=dict(_delete_=True, type="IdentitySampler", crops=4, groups=16),
    dataset=dict(
        _delete_=True,
        type="IdentityCropDataset",
        dataset=dict(
            type="MOTChallengeDataset", data_root="data/MOT17/train", split="deepmot_train"
        ),
        pipeline=_base_.crop_pipeline,
    ),
)
val_dataloader = dict(dataset=dict(split="deepmot_val"))
test_dataloader = val_dataloader
