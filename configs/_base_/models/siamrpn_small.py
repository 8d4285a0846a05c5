# A SiamRPN that two CPU cores train within minutes: few channels, depthwise correlation, anchors as
# tall as people are, and a search region for small steps (9 x 9 cells).
follower = dict(
    type="SiamRPN",
    backbone=dict(type="SiamAlexNet", channels=(16, 32, 48, 48, 32)),
    rpn=dict(type="DepthwiseRPN", width=32),
    template=127,
    search=191,
    ratios=(1.5, 2.25, 3.0),
    min_side=4.0,
)
