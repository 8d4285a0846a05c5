# The split of FairMOT's Tables 2 to 4: MOT15's eleven training videos, five to train on and six to
# validate, as in MDP (Xiang et al., ICCV 2015, Sec. 4.1).
_base_ = "mot_challenge.py"
data_root = "data/MOT15/train"
train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        sequences=["TUD-Stadtmitte", "ETH-Bahnhof", "ADL-Rundle-6", "KITTI-13", "PETS09-S2L1"],
    ),
)
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        sequences=[
            "TUD-Campus",
            "ETH-Sunnyday",
            "ETH-Pedcross2",
            "ADL-Rundle-8",
            "KITTI-17",
            "Venice-2",
        ],
    ),
)
test_dataloader = val_dataloader
