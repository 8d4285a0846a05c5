# BoT-SORT (Aharon et al. 2022) without appearance: ByteTrack's bands over a filter of centre, width
# and height, and camera motion. Frames without images (detections alone) are taken as they are.
_base_ = "bytetrack.py"
tracker = dict(
    motion=dict(_delete_=True, type="SizeKalman"),
    steps=[
        dict(type="Predict"),
        dict(type="Compensate", required=False),
        *_base_.tracker.steps[1:],
    ],
)
