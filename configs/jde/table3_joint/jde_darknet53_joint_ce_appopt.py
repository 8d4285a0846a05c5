# Table 3 on the paper's data: cross-entropy over identities, fixed weights.
_base_ = "../jde_darknet53_joint.py"
model = dict(detector=dict(bbox_head=dict(balance=dict(type="AppOptWeights"))))
