"""mmengine's metrics: thin registered shells over the pure functions."""

from mmdeepmot.evaluation.metrics.assignment_metric import AssignmentMetric
from mmdeepmot.evaluation.metrics.detection_metric import DetectionMetric
from mmdeepmot.evaluation.metrics.embedding_metric import EmbeddingMetric
from mmdeepmot.evaluation.metrics.mot_metric import MOTMetric

__all__ = ["AssignmentMetric", "DetectionMetric", "EmbeddingMetric", "MOTMetric"]
