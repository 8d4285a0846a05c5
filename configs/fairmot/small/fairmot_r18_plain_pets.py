# Table 2 in small, on real video: without the skip connections, up-convolutions alone.
_base_ = ["../fairmot_r18_pets.py", "../../_base_/models/plain_up.py"]
model = dict(
    detector=dict(
        backbone=_base_.plain_backbone,
        neck=dict(_delete_=True, **_base_.plain_neck),
    ),
)
