# Table 3: cross-entropy over identities, fixed weights.
_base_ = "../jde_darknet53.py"
model = dict(detector=dict(bbox_head=dict(balance=dict(type="AppOptWeights"))))
