# JDE's association as in the paper, Sec. 3.6: one association a frame over all tracklets.
# The paper prints neither lambda nor a threshold: 0.98 and 0.7 are the published code's.
tracker = dict(
    type="Tracker",
    motion=dict(type="AspectKalman"),
    memory=dict(type="MomentumMemory", momentum=0.9),
    steps=[
        dict(type="Predict"),
        dict(
            type="Associate",
            cost=[dict(type="cosine", weight=0.98), dict(type="mahalanobis", weight=0.02)],
            limit=0.7,
        ),
        dict(type="Refine"),
        dict(type="Confirm", hits=2),
        dict(type="Birth", min_score=0.5),
        dict(type="Retire", buffer=30),
        dict(type="Report"),
    ],
)
