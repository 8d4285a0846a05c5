# The paper's matcher, the Deep Hungarian Net, and its loss without the gate; who appears in the
# second frame is missed, who has left it leaves a false alarm. The softmaxes are sharp as in the
# published code; as printed: model.criterion.loss.sharpness=1 model.criterion.loss.switches=literal
_base_ = "tracktor_r50_mot17_deepmot.py"
model = dict(
    criterion=dict(
        matcher=dict(_delete_=True, type="DHN", order="sequential", cell="gru", pretrained=True),
        loss=dict(gate=None),
    ),
    births=False,
    deaths=False,
)
