"""Networks. Importing this package registers every model."""

from mmdeepmot.models import detectors, heads, losses, mot, utils
from mmdeepmot.models.data_preprocessor import MOTDataPreprocessor

__all__ = ["MOTDataPreprocessor", "detectors", "heads", "losses", "mot", "utils"]
