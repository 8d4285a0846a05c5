"""Where the time of tracking goes."""

from dataclasses import dataclass


@dataclass
class Timings:
    """Seconds spent since the last reset.

    Attributes:
        frames: Frames processed.
        detection: Network and decoding, transfer of the detections included.
        association: Tracker, and what it asks of networks: following, appearance.
    """

    frames: int = 0
    detection: float = 0.0
    association: float = 0.0

    @property
    def fps(self) -> dict[str, float]:
        """Frames per second of the detector (``FPSD``), the association (``FPSA``) and both."""

        def rate(seconds: float) -> float:
            return self.frames / seconds if seconds > 0 else 0.0

        return {
            "FPSD": rate(self.detection),
            "FPSA": rate(self.association),
            "FPS": rate(self.detection + self.association),
        }
