# JDE's joint training set (paper, Table 2), as list files with labels_with_ids (DATASET_ZOO.md of
# Towards-Realtime-MOT; tools/dataset_converters makes them from the original files): images under
# data_root, the lists *.train under list_root. Photographs are videos=False: their numbers do not
# follow each other in time.
# Tested as in Sec. 4.1: tracks on those MOT15 training sequences that are not in it (ETH-* are in
# ETH; ADL-Rundle-6, ADL-Rundle-8, ETH-Pedcross2 and Venice-2 are MOT17-09, -10, -05 and -02);
# detection on Caltech val; embeddings on all ground-truth boxes of Caltech, CUHK-SYSU and PRW val:
#     python tools/test.py CONFIG CHECKPOINT --eval detection embedding track
_base_ = "mot_challenge.py"
data_root = "data/joint"
list_root = "data/joint/lists"
train_dataloader = dict(
    num_workers=4,
    dataset=dict(
        _delete_=True,
        type="JointDataset",
        pipeline=_base_.train_pipeline,
        dataset_defaults=dict(data_root=data_root),
        datasets=[
            dict(type="JDEListDataset", list_files=f"{list_root}/eth.train"),
            dict(type="JDEListDataset", list_files=f"{list_root}/citypersons.train", videos=False),
            dict(type="JDEListDataset", list_files=f"{list_root}/caltech.train"),
            dict(type="JDEListDataset", list_files=f"{list_root}/mot17.train"),
            dict(type="JDEListDataset", list_files=f"{list_root}/cuhksysu.train", videos=False),
            dict(type="JDEListDataset", list_files=f"{list_root}/prw.train", videos=False),
        ],
    ),
)
val_dataloader = dict(
    dataset=dict(
        data_root="data/MOT15/train",
        sequences=["KITTI-13", "KITTI-17", "PETS09-S2L1", "TUD-Campus", "TUD-Stadtmitte"],
    ),
)
test_dataloader = val_dataloader
task_dataloaders = dict(
    detection=dict(
        dataset=dict(
            type="JDEListDataset",
            list_files=f"{list_root}/caltech.val",
            data_root=data_root,
            pipeline=_base_.test_pipeline,
            view="video",
            clip_length=4,
            test_mode=True,
        ),
    ),
    embedding=dict(
        dataset=dict(
            type="JointDataset",
            pipeline=_base_.test_pipeline,
            test_mode=True,
            dataset_defaults=dict(data_root=data_root, view="video", clip_length=4),
            datasets=[
                dict(type="JDEListDataset", list_files=f"{list_root}/caltech.10k.val"),
                dict(type="JDEListDataset", list_files=f"{list_root}/cuhksysu.val", videos=False),
                dict(type="JDEListDataset", list_files=f"{list_root}/prw.val", videos=False),
            ],
        ),
    ),
)
