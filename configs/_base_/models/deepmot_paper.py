# The paper's criterion: a Deep Hungarian Net, and the loss without the gate. The softmaxes are as
# sharp as in the published code; as printed: model.criterion.loss.sharpness=1
# model.criterion.loss.switches=literal. Who appears in a clip is missed, who leaves it leaves a
# false alarm: a config also sets births=False and deaths=False.
paper_criterion = dict(
    type="DeepMOTCriterion",
    matcher=dict(type="DHN", order="sequential", cell="gru", pretrained=True),
    loss=dict(type="DeepMOTLoss"),
)
