# Crops of the people of SynthMOT at 512x288, 8 people four times in a batch.
_base_ = ["synthmot_small.py", "crop_pipeline.py"]
crop_size = (48, 96)
crop_pipeline = [
    {**step, "size": crop_size} if "size" in step else step for step in _base_.crop_pipeline
]
train_dataloader = dict(
    batch_size=32,
    sampler=dict(_delete_=True, type="IdentitySampler", crops=4, groups=2),
    dataset=dict(
        _delete_=True,
        type="IdentityCropDataset",
        dataset=dict(
            type="SynthMOTDataset",
            split="train",
            data_root="data/synthmot",
            recipe=_base_.recipe,
        ),
        pipeline=crop_pipeline,
    ),
)
