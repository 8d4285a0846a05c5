# The two real sequences at 640x480, scored with their public detections: MOT17-11 with those of all
# three detectors, counted together as in DeepMOT's tables.
_base_ = "pets_640x480.py"
val_dataloader = dict(dataset=dict(with_detections="det/det.txt"))
moving = dict(type="MOTChallengeDataset", sequences=["MOT17-11-540p"])
test_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(**_base_.test_dataloader.dataset.datasets[0], with_detections="det/det.txt"),
            dict(**moving, with_detections="det/det.txt", suffix="-FRCNN"),
            dict(**moving, with_detections="det/det_DPM.txt", suffix="-DPM"),
            dict(**moving, with_detections="det/det_SDP.txt", suffix="-SDP"),
        ],
    ),
)
