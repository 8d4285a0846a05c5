# A SiamRPN that two CPU cores train within minutes: few channels, depthwise correlation, anchors as
# tall as people are, and a search region for small steps (7 x 7 cells).
follower = dict(
    type="SiamRPN",
    backbone=dict(type="SiamAlexNet", channels=(12, 24, 32, 32, 32)),
    rpn=dict(type="DepthwiseRPN", width=32),
    template=111,
    search=159,
    ratios=(1.5, 2.25, 3.0),
    scale=7.0,
    min_side=4.0,
)
