# Table 3: cross-entropy over identities, Loss.Norm.
_base_ = "../jde_darknet53.py"
model = dict(detector=dict(bbox_head=dict(balance=dict(type="LossNormWeights"))))
