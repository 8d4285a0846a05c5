# Crops of the people of SynthMOT at 1088x608, 16 people four times in a batch; tested on boxes of
# whole frames: tools/test.py ... --eval embedding.
_base_ = ["synthmot.py", "crop_pipeline.py"]
train_dataloader = dict(
    batch_size=64,
    sampler=dict(_delete_=True, type="IdentitySampler", crops=4, groups=4),
    dataset=dict(
        _delete_=True,
        type="IdentityCropDataset",
        dataset=dict(
            type="SynthMOTDataset",
            split="train",
            data_root="data/synthmot",
            recipe=_base_.recipe,
        ),
        pipeline=_base_.crop_pipeline,
    ),
)
