# BoT-SORT-ReID: the smaller of overlap and appearance distance, the latter only for pairs that are
# near (IoU >= 0.5) and alike (cosine distance <= 0.25): Eq. 12 and 13 of the paper.
_base_ = "botsort.py"
appearance = dict(type="cosine", weight=0.5, max=0.25, near=0.5)
tracker = dict(
    memory=dict(type="MomentumMemory", momentum=0.9),
    steps=[
        {
            **step,
            **(
                dict(cost=[step["cost"], appearance], fuse="min")
                if step.get("min_score") == 0.6
                else {}
            ),
        }
        for step in _base_.tracker.steps
    ],
)
