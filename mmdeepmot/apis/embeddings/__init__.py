"""What the embeddings of a sequence look like: which boxes are asked, and what the network says.

Imports torch; the pictures themselves (:mod:`mmdeepmot.visualization`) do not.
"""

from mmdeepmot.apis.embeddings.network import embed_boxes, load_model, similarity_maps
from mmdeepmot.apis.embeddings.query import Query, choose_query
from mmdeepmot.apis.embeddings.sequence import SequenceBoxes, open_sequence, spread_rows

__all__ = [
    "Query",
    "SequenceBoxes",
    "choose_query",
    "embed_boxes",
    "load_model",
    "open_sequence",
    "similarity_maps",
    "spread_rows",
]
