# JDE's joint training set, tested as the paper tests detection: AP on Caltech val (Sec. 4.1).
_base_ = "joint.py"
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="JDEListDataset",
        list_files="data/joint/lists/caltech.val",
        data_root="data/joint",
        pipeline=_base_.test_pipeline,
        view="video",
        clip_length=4,
        test_mode=True,
    ),
)
