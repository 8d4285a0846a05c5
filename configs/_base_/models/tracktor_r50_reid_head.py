# Tracktor with an appearance head of its own (+ReIDhead; paper, Sec. 5.1), trained by DeepMOT.
_base_ = "tracktor_r50.py"
follower = dict(
    embedding_head=dict(type="TrackEmbeddingHead", in_features=1024, embed_dims=128),
)
