# ByteTrack's steps with the numbers that a search found (tools/analysis/search_tracker.py, 150
# trials, public FRCNN detections of MOT17-04, MOT17-05, PETS09-S2L1 and ETH-Bahnhof): more
# patience, births from sure detections only, a softer filter. What it gains elsewhere:
# docs/benchmarks.md.
_base_ = "bytetrack.py"
steps = _base_.tracker.steps
tracker = dict(
    motion=dict(position_weight=0.087),
    steps=[
        steps[0],
        {**steps[1], "limit": 0.78, "min_score": 0.5},
        {**steps[2], "limit": 0.7, "below_score": 0.5},
        {**steps[3], "limit": 0.5, "min_score": 0.5},
        steps[4],
        {**steps[5], "min_score": 0.95},
        steps[6],
        {**steps[7], "buffer": 67},
        *steps[8:],
    ],
)
