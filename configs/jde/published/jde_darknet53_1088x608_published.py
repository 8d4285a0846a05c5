# To test a published checkpoint of this size, converted by tools/model_converters/jde.py.
_base_ = "../jde_darknet53_joint.py"
model = dict(
    detector=dict(backbone=dict(init_cfg=None), bbox_head=dict(anchors="published_1088")),
)
