# JDE's joint training set, tested as the paper tests embeddings: TPR at FAR 0.1 over all
# ground-truth boxes of Caltech, CUHK-SYSU and PRW val (Sec. 4.1).
_base_ = "joint.py"
list_root = "data/joint/lists"
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="JointDataset",
        pipeline=_base_.test_pipeline,
        test_mode=True,
        dataset_defaults=dict(data_root="data/joint", view="video", clip_length=4),
        datasets=[
            dict(type="JDEListDataset", list_files=f"{list_root}/caltech.10k.val"),
            dict(type="JDEListDataset", list_files=f"{list_root}/cuhksysu.val", videos=False),
            dict(type="JDEListDataset", list_files=f"{list_root}/prw.val", videos=False),
        ],
    ),
)
