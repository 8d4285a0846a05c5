# SORT (Bewley et al. 2016): motion and overlap only. The control that appearance has to beat.
# The largest total overlap first, weak pairs rejected afterwards, as in the paper's Sec. 3.3.
tracker = dict(
    type="Tracker",
    motion=dict(type="AreaKalman"),
    steps=[
        dict(type="Predict"),
        dict(type="Associate", cost="iou", limit=0.7, alone=1.0),
        dict(type="Refine"),
        dict(type="Confirm", hits=3),
        dict(type="Birth", min_score=0.5, hits=0),
        dict(type="Retire", tentative_buffer=1, demote=True),
        dict(type="Report", warm_up=3),
    ],
)
