# Table 1 in small, on real video: JDE's head in FairMOT's place, on the same features.
_base_ = ["../fairmot_r18_pets.py", "../../_base_/models/jde_one_map.py"]
model = dict(
    detector=dict(
        type="JDE",
        bbox_head=dict(_delete_=True, **_base_.anchor_head),
        test_cfg=dict(_delete_=True, **_base_.anchor_test_cfg),
    ),
)
