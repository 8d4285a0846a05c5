# BoT-SORT-ReID: the smaller of overlap and appearance distance, the latter only for pairs that are
# near (IoU >= 0.5) and alike (cosine distance <= 0.25): Eq. 12 and 13 of the paper.
_base_ = "botsort.py"
steps = _base_.tracker.steps
look = dict(type="cosine", weight=0.5, max=0.25, near=0.5)
tracker = dict(
    memory=dict(type="MomentumMemory", momentum=0.9),
    steps=[
        *steps[:2],
        {**steps[2], "cost": [steps[2].cost, look], "fuse": "min"},  # strong detections
        steps[3],  # weak ones: by overlap alone
        {**steps[4], "cost": [steps[4].cost, look], "fuse": "min"},  # tentative tracks
        dict(type="Refine", memory_score=0.6),
        *steps[6:],
    ],
)
