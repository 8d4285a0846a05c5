# The small Tracktor with an appearance head of its own.
_base_ = "tracktor_r18.py"
follower = dict(
    embedding_head=dict(type="TrackEmbeddingHead", in_features=256, embed_dims=128),
)
