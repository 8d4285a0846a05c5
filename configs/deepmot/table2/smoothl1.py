# Table 2: Smooth L1 instead, which trains no appearance head; with the external network (+ReIDext).
_base_ = "../table1/deepmot_reidext.py"
model = dict(criterion=dict(_delete_=True, **_base_.smooth_l1))
