# OC-SORT as in the published code: every pair takes part in the assignment, overlapping or not; the
# momentum counts by the detection's score; a track's first detection is no observation; the
# detection that ends a gap corrects the filter twice.
_base_ = "ocsort.py"
steps = _base_.tracker.steps
tracker = dict(
    steps=[
        steps[0],
        dict(
            type="Associate",
            cost=[
                dict(type="iou", reject=0.7),
                dict(type="direction", weight=0.2, fuse_score=True),
            ],
            limit=10.0,  # beyond any cost: as many pairs as there can be
            min_score=0.6,
        ),
        dict(
            type="Associate",
            cost=dict(type="iou", boxes="observed"),
            limit=0.7,
            alone=1.0,
            min_score=0.6,
        ),
        dict(type="ReUpdate", twice=True),
        *steps[4:7],
        dict(type="Observe", span=3, births=False),
        *steps[8:],
    ],
)
