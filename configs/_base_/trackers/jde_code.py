# JDE's association as in the published code (the one that gave the published figures):
# appearance fused with motion, then IoU for tracks just missed, then IoU for tentative ones.
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
                dict(type="euclidean", weight=0.98),
                dict(type="mahalanobis", weight=0.02, max=9.4877),  # chi-square, 4 dof, 95%
            ],
            limit=0.7,
        ),
        dict(type="Associate", states=["tracked"], cost="iou", limit=0.5),
        dict(type="Associate", states=["tentative"], cost="iou", limit=0.7),
        dict(type="Refine"),
        dict(type="Confirm", hits=2),
        dict(type="Birth", min_score=0.5),
        dict(type="Retire", buffer=30, scale_with_fps=True),
        dict(type="RemoveDuplicates", max_distance=0.15),
        dict(type="Report"),
    ],
)
