# SiamRPN as DeepMOT's published tracker has it (DaSiamRPN's network and constants): 22.6 million
# parameters.
follower = dict(
    type="SiamRPN",
    backbone=dict(type="SiamAlexNet"),
    rpn=dict(type="UpChannelRPN"),
    template=127,
    search=271,
)
