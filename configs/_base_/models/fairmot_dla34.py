# FairMOT with DLA-34 (paper, Sec. 3): deformable up-sampling to stride 4, embeddings of 128.
_base_ = "fairmot_r18.py"
model = dict(
    detector=dict(
        backbone=dict(_delete_=True, type="DLA", depth=34, out_indices=(2, 3, 4, 5)),
        neck=dict(
            _delete_=True,
            type="DLAUp",
            in_channels=(64, 128, 256, 512),
            out_stride=4,
            dcn=True,
        ),
    ),
)
