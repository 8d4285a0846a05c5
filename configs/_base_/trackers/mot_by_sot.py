# MOT by single-object trackers (DeepMOT, Sec. 5.2 and Appendix A.2): a network follows each track,
# detections start, verify and end them. Three detections in a row that overlap (IoU > 0.3), away
# from all tracks, start a track. A detection with an IoU above 0.5 (published code) verifies it,
# one above 0.6 is averaged with it. What none verifies goes on unseen, and ends after 60 frames.
# Departure: the published code adds, afterwards, the two detections before the third.
tracker = dict(
    type="Tracker",
    steps=[
        dict(type="Compensate", required=False),
        dict(
            type="Propagate",
            states=["tracked", "lost"],
            min_score=0.0,
            counts=False,
            inside="centre",
        ),
        dict(type="Associate", states=["tracked", "lost"], cost="iou", limit=0.5),
        dict(type="Refine", weight=0.5, min_iou=0.6),
        dict(type="Suppress", tracks=None, detections=0.5, states=["tracked", "lost"]),
        dict(type="Associate", states=["tentative"], cost="iou", limit=0.7),
        dict(type="Refine"),
        dict(type="Birth", min_score=None),
        dict(type="Confirm", hits=3),
        dict(type="Retire", buffer=60),
        dict(type="Report"),
    ],
)
# Camera motion as for Tracktor: a config adds model.camera.
camera = dict(type="ECC", mode="euclidean", iterations=100, eps=1e-5)
