# DeepSORT (Wojke et al. 2017): appearance gated by motion, the most recently seen tracks first;
# then overlap for what was seen in the last frame.
tracker = dict(
    type="Tracker",
    motion=dict(type="AspectKalman"),
    memory=dict(type="GalleryMemory", size=100, reduce="max"),
    steps=[
        dict(type="Predict"),
        dict(
            type="Associate",
            states=["tracked", "lost"],
            cost=[
                dict(type="cosine"),
                dict(type="mahalanobis", weight=0, max=9.4877),  # chi-square, 4 dof, 95%
            ],
            limit=0.2,
            cascade=True,
            min_score=0.3,
        ),
        dict(
            type="Associate",
            states=["tentative", "tracked"],
            cost="iou",
            limit=0.7,
            min_score=0.3,
        ),
        dict(type="Refine"),
        dict(type="Confirm", hits=3),
        dict(type="Birth", min_score=0.3),
        dict(type="Retire", buffer=30),
        dict(type="Report"),
    ],
)
