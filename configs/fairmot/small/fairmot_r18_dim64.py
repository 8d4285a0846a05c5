# Table 4 in small: embeddings of 64.
_base_ = "../fairmot_r18_synthmot.py"
model = dict(detector=dict(bbox_head=dict(embed_dims=64)))
