"""Where the time of tracking goes."""

from dataclasses import dataclass


@dataclass
class Timings:
    """Seconds spent since the last reset.

    Attributes:
        frames: Frames processed.
        detection: Network and decoding, transfer of the detections included.
        embedding: The ReID network (or the follower's appearance), where the tracker asks it.
        association: Tracker, and what else it asks of networks: following.
    """

    frames: int = 0
    detection: float = 0.0
    embedding: float = 0.0
    association: float = 0.0

    @property
    def fps(self) -> dict[str, float]:
        """Frames per second of the detector (``FPSD``), the association (``FPSA``) and the whole
        (``FPS``); of the embedding (``FPSE``) where it takes time of its own."""

        def rate(seconds: float) -> float:
            return self.frames / seconds if seconds > 0 else 0.0

        embedding = {"FPSE": rate(self.embedding)} if self.embedding > 0 else {}
        return {
            "FPSD": rate(self.detection),
            **embedding,
            "FPSA": rate(self.association),
            "FPS": rate(self.detection + self.embedding + self.association),
        }
