# MOT by single-object trackers, for crowds at low frame rates. Where people cross, an invisible
# track drifts onto a visible one's person, and each takes the detection from the other, frame by
# frame: here invisible tracks get what visible ones leave over. They end after 60/30 s.
_base_ = "mot_by_sot.py"
steps = _base_.tracker.steps
tracker = dict(
    steps=[
        *steps[:2],
        dict(steps[2], states=["tracked"]),
        dict(steps[2], states=["lost"]),
        *steps[3:9],
        dict(steps[9], scale_with_fps=True),
        steps[10],
    ]
)
