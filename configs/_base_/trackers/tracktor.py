# Tracktor (Bergmann et al. 2019): tracks are what the detector's regression carries on. Detections
# that no track covers start tracks; a track that the detector no longer confirms has ended.
tracker = dict(
    type="Tracker",
    steps=[
        dict(type="Compensate", required=False),
        dict(type="Propagate", states=["tracked"], min_score=0.5),
        dict(
            type="Suppress",
            states=["tracked"],
            tracks=0.6,
            min_score=0.5,
            among=0.3,
            detections=0.3,
        ),
        dict(type="Birth", min_score=0.5),
        dict(type="Confirm", hits=1),
        dict(type="Retire", buffer=0),
        dict(type="Report"),
    ],
)
# Camera motion as published, on images of half the size: a config adds model.camera.
camera = dict(type="ECC", mode="euclidean", iterations=100, eps=1e-5)
