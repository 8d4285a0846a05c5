"""Equal parameters for ours and for the package ``trackers``, method by method.

What a parameter of ``trackers`` 2.6.1 means, and what stands for it in our steps:

``minimum_iou_threshold = t``
    pairs from an overlap of t on: ``Associate.limit = 1 - t``. It solves for the largest total
    overlap and rejects weak pairs afterwards, without a price for them: ``alone = 1``.
``minimum_iou_threshold_first_assoc``, ``..._second_assoc``, ``..._unconfirmed_assoc``
    the same for BoT-SORT's three associations, the first and third on overlap times score.
``high_conf_det_threshold``
    ``Associate.min_score``, and ``below_score`` of the second association.
``track_activation_threshold``
    ``Birth.min_score``. OC-SORT there has none: ``high_conf_det_threshold`` is both.
``minimum_consecutive_frames = k``
    a track is reported from its k-th frame on, its birth included: ``Confirm.hits = k`` with
    ``Birth.hits = 1``; SORT and OC-SORT as published do not count the birth (``Birth.hits = 0``)
    but report young tracks in the first frames of a sequence.
``lost_track_buffer = b``, ``frame_rate``
    a track is kept while it has been missed for at most ``max(1, ceil(frame_rate / 30 * b))``
    frames: ``Retire.buffer = b``, ``scale_with_fps`` where the frame rate is given.
``state_estimator_class``
    XCYCSR: ``AreaKalman``; XYXY: ``CornerKalman``; XCYCWH: ``SizeKalman``.

It reports the detections themselves: ``Report.boxes = 'observed'``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comparison.contender import Contender
from comparison.ours import OurContender, edited, load_config
from comparison.roboflow import TrackersContender


@dataclass(frozen=True)
class Setting:
    """Parameters under which two implementations of a method are compared.

    Attributes:
        name: What the tables call it.
        theirs: Arguments of the class in ``trackers``, with ``state`` and ``scale_with_fps`` of
            :class:`~comparison.roboflow.TrackersContender`.
        ours: Edits of our config, see :func:`~comparison.ours.edited`.
        config: Name of our config in ``configs/METHOD``; None: the method's.
    """

    name: str
    theirs: Mapping[str, Any]
    ours: Mapping[str, Any]
    config: str | None = None

    def our_contender(self, method: str) -> Contender:
        return OurContender(self.name, edited(load_config(method, self.config), self.ours))

    def their_contender(self, method: str) -> Contender:
        known = "same parameters" if self.theirs else "its own defaults"
        return TrackersContender(method, known, self.theirs)


_OBSERVED = {"Report.boxes": "observed"}
#: An assignment without a price for weak pairs, which are rejected afterwards.
_REJECT_LATER = {f"Associate[{index}].alone": 1.0 for index in range(3)}
#: From the third frame on (birth included), for good; a young track ends at its first miss.
_STICKY = {
    "Birth.hits": 1,
    "Retire": dict(buffer=1, tentative_buffer=0, demote=False),
    "Report": dict(boxes="observed", warm_up=0),
}
_SORT = dict(
    lost_track_buffer=1,
    track_activation_threshold=0.5,
    minimum_consecutive_frames=3,
    minimum_iou_threshold=0.3,
    state="area",
)
_OWN, _EQUAL = "our config", "steps as in trackers"

#: By method. "our config": equal numbers, the life of a track and the associations as published.
#: "steps as in trackers": equal in these too, where the package departs from the publication.
SETTINGS: dict[str, tuple[Setting, ...]] = {
    "sort": (
        Setting(_OWN, _SORT, _OBSERVED),
        Setting(_EQUAL, _SORT, _STICKY),
        Setting(
            "trackers' defaults",
            {},
            {
                **_STICKY,
                "motion": dict(type="CornerKalman"),
                "Birth.min_score": 0.25,
                "Retire.buffer": 30,
            },
        ),
    ),
    "bytetrack": (
        Setting(_OWN, dict(scale_with_fps=True), {**_OBSERVED, "Associate.limit": 0.9}),
        Setting(
            _EQUAL,
            dict(scale_with_fps=True),
            {
                **_OBSERVED,
                "motion": dict(type="CornerKalman"),
                "Predict.states": ["tentative", "tracked", "lost"],
                "Associate[0]": dict(
                    states=["tentative", "tracked", "lost"], cost="iou", limit=0.9, alone=1.0
                ),
                "Associate[1]": dict(
                    states=["tentative", "tracked", "lost"], limit=0.9, alone=1.0, min_score=None
                ),
                "Associate[2]": None,
                "Confirm.first_frame": False,
                "RemoveDuplicates": None,
            },
        ),
    ),
    "ocsort": (
        Setting(_OWN, {}, _OBSERVED),
        Setting(_EQUAL, {}, _OBSERVED, config="ocsort_code"),
    ),
    "botsort": (
        Setting(_OWN, dict(enable_cmc=False, scale_with_fps=True), _OBSERVED),
        Setting(
            _EQUAL,
            dict(enable_cmc=False, scale_with_fps=True),
            {
                **_OBSERVED,
                **_REJECT_LATER,
                "Associate[1].min_score": 0.1 + 1e-9,  # above 0.1, not from 0.1 on
                "RemoveDuplicates": None,
            },
        ),
    ),
}
