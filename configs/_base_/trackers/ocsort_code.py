# OC-SORT with habits of the published code: the momentum counts by the detection's score; a track's
# first detection is no observation; the detection that ends a gap corrects the filter twice.
_base_ = "ocsort.py"
steps = _base_.tracker.steps
tracker = dict(
    steps=[
        steps[0],
        {
            **steps[1],
            "cost": [steps[1].cost[0], dict(type="direction", weight=0.2, fuse_score=True)],
        },
        steps[2],
        dict(type="ReUpdate", twice=True),
        *steps[4:7],
        dict(type="Observe", span=3, births=False),
        *steps[8:],
    ],
)
