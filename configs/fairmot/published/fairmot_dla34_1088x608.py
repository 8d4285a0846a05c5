# To test the published fairmot_dla34.pth, converted by tools/model_converters/fairmot.py: its head
# regresses the distances to the four sides, its embedding has two layers.
_base_ = "../fairmot_dla34_joint.py"
load_from = None
model = dict(detector=dict(bbox_head=dict(box="ltrb", id_head="stacked")))
