# FairMOT's online association (Sec. 3.4): JDE's by the cosine distance, with a stricter threshold;
# tracks of the first frame count at once.
tracker = dict(
    type="Tracker",
    motion=dict(type="AspectKalman", hold_lost_height=True),
    memory=dict(type="MomentumMemory", momentum=0.9),
    steps=[
        dict(type="Predict", states=["tracked", "lost"]),
        dict(
            type="Associate",
            states=["tracked", "lost"],
            cost=[
                dict(type="cosine", weight=0.98),
                dict(type="mahalanobis", weight=0.02, max=9.4877),  # chi-square, 4 dof, 95%
            ],
            limit=0.4,
        ),
        dict(type="Associate", states=["tracked"], cost="iou", limit=0.5),
        dict(type="Associate", states=["tentative"], cost="iou", limit=0.7),
        dict(type="Refine"),
        dict(type="Birth", min_score=0.4),
        dict(type="Confirm", hits=2, first_frame=True),
        dict(type="Retire", buffer=30, scale_with_fps=True),
        dict(type="RemoveDuplicates", max_distance=0.15),
        dict(type="Report"),
    ],
)
