# The paper's data: matrices of MOT16 and MOT17 train, those of MOT15 judge (a random split would
# leak: most matrices have near twins). The file is made of the three folders by
#     python tools/dataset_converters/make_dhn_matrices.py data/MOT15/train data/MOT16/train \
#         data/MOT17/train --names MOT15 MOT16 MOT17 --distance centre --out data/dhn/mot.npz
_base_ = "dhn_generated.py"
matrices = "data/dhn/mot.npz"
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
