# The paper's loss to the letter: the Deep Hungarian Net as the matcher, no gate; who appears in the
# second frame is missed, who has left it leaves a false alarm.
_base_ = "tracktor_r50_mot17_deepmot.py"
model = dict(
    criterion=dict(
        matcher=dict(_delete_=True, type="DHN", order="sequential", cell="gru", pretrained=True),
        loss=dict(gate=None),
    ),
    births=False,
    deaths=False,
)
