# The Deep Hungarian Net as in the paper: two GRUs one after the other, h = 256.
model = dict(
    type="MatcherModel",
    matcher=dict(type="DHN", order="sequential", cell="gru"),
    loss=dict(type="FocalAssignmentLoss", gamma=2.0),
)
