# The paper's data: matrices of MOT16 and MOT17 train, those of MOT15 judge (a random split would
# leak: most matrices have near twins).
_base_ = "dhn_generated.py"
matrices = "../shared/data/dhn/mot_matrices_train.npz"
mot15 = dict(_delete_=True, type="MatrixFileDataset", path=matrices, sources=["MOT15"])
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="MatrixFileDataset",
        path=matrices,
        sources=["MOT16", "MOT17"],
        permute=True,
    ),
)
val_dataloader = dict(dataset=mot15)
test_dataloader = dict(dataset=mot15)
