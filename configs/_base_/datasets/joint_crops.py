# Crops of the people of JDE's joint training set who have an identity; tested as the paper tests
# embeddings, on boxes of whole frames: tools/test.py ... --eval embedding.
_base_ = ["joint_embedding.py", "crop_pipeline.py"]
train_dataloader = dict(
    batch_size=64,
    sampler=dict(_delete_=True, type="IdentitySampler", crops=4, groups=4),
    dataset=dict(
        _delete_=True,
        type="IdentityCropDataset",
        dataset=_base_.train_dataloader.dataset,
        pipeline=_base_.crop_pipeline,
    ),
)
