# Tracktor with appearance (+ReIDext, +ReIDhead): a track that was lost at most 10 frames ago goes
# on where a new detection overlaps it (IoU >= 0.2) and looks like the mean of its last ten frames.
# As many pairs as possible first, then the nearest looks. The limit is a distance of unit vectors:
# at a right angle, as unrelated ones are, they are 1.41 apart (the published 2.0 is one of vectors
# of any length).
_base_ = "tracktor.py"
steps = _base_.tracker.steps
tracker = dict(
    memory=dict(type="GalleryMemory", size=10, reduce="mean"),
    steps=[
        *steps[:3],
        dict(type="Remember", states=["tracked"]),
        dict(
            type="Associate",
            states=["lost"],
            cost=[dict(type="euclidean"), dict(type="iou", weight=0, max=0.8)],
            limit=1.4,
            alone=1000.0,
        ),
        dict(type="Refine"),
        *steps[3:5],
        dict(type="Retire", buffer=10),
        steps[6],
    ],
)
