# Table 4 in small, on real video: embeddings of 64.
_base_ = "../fairmot_r18_pets.py"
model = dict(detector=dict(bbox_head=dict(embed_dims=64)))
