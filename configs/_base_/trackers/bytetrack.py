# ByteTrack (Zhang et al. 2022): strong detections first, then weak ones for tracks just missed.
tracker = dict(
    type="Tracker",
    motion=dict(type="AspectKalman", hold_lost_height=True),
    steps=[
        dict(type="Predict", states=["tracked", "lost"]),
        dict(
            type="Associate",
            states=["tracked", "lost"],
            cost=dict(type="iou", fuse_score=True),
            limit=0.8,
            min_score=0.6,
        ),
        dict(
            type="Associate",
            states=["tracked"],
            cost="iou",
            limit=0.5,
            min_score=0.1,
            below_score=0.6,
        ),
        dict(
            type="Associate",
            states=["tentative"],
            cost=dict(type="iou", fuse_score=True),
            limit=0.7,
            min_score=0.6,
        ),
        dict(type="Refine"),
        dict(type="Birth", min_score=0.7),
        dict(type="Confirm", hits=2, first_frame=True),
        dict(type="Retire", buffer=30, scale_with_fps=True),
        dict(type="RemoveDuplicates", max_distance=0.15),
        dict(type="Report"),
    ],
)
