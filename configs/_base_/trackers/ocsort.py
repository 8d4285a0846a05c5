# OC-SORT (Cao et al. 2023): SORT that trusts observations: momentum of the observed way in the
# association, recovery at the place last seen, and a filter that is led through a gap anew. Weak
# overlaps are rejected after the assignment, as in the published code (the paper does not say; to
# leave them out before costs 1 point of IDF1 on MOT17's SDP detections).
tracker = dict(
    type="Tracker",
    motion=dict(type="AreaKalman"),
    steps=[
        dict(type="Predict"),
        dict(
            type="Associate",
            cost=[dict(type="iou", max=0.99, reject=0.7), dict(type="direction", weight=0.2)],
            limit=1.0,
            min_score=0.6,
        ),
        dict(
            type="Associate",
            cost=dict(type="iou", boxes="observed"),
            limit=0.7,
            min_score=0.6,
        ),
        dict(type="ReUpdate"),
        dict(type="Refine"),
        dict(type="Confirm", hits=3),
        dict(type="Birth", min_score=0.6, hits=0),
        dict(type="Observe", span=3),
        dict(type="Retire", tentative_buffer=30, demote=True),
        dict(type="Report", boxes="observed", warm_up=3),
    ],
)
