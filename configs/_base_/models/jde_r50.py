# JDE with ResNet-50, from scratch.
_base_ = "jde_darknet53.py"
model = dict(
    detector=dict(
        backbone=dict(
            _delete_=True, type="ResNet", depth=50, out_indices=(1, 2, 3), norm_eval=False
        ),
        neck=dict(in_channels=[2048, 1024, 512]),
    ),
)
