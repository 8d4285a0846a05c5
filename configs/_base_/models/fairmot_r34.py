# FairMOT with ResNet-34 and three up-convolutions to stride 4 (paper, Table 2).
_base_ = "fairmot_r18.py"
model = dict(detector=dict(backbone=dict(depth=34)))
