# Table 4: embeddings of 128.
_base_ = "../table2/fairmot_dla34_mot15split.py"
model = dict(detector=dict(bbox_head=dict(embed_dims=128)))
