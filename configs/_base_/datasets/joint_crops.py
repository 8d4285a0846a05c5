# Crops of the people of JDE's joint training set who have an identity; tested as the paper tests
# embeddings, on boxes of whole frames: tools/test.py ... --eval embedding.
_base_ = "joint_embedding.py"
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
    sampler=dict(_delete_=True, type="IdentitySampler", crops=4, groups=4),
    dataset=dict(
        _delete_=True,
        type="IdentityCropDataset",
        dataset=_base_.train_dataloader.dataset,
        pipeline=crop_pipeline,
    ),
)
