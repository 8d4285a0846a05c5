"""Steps of which trackers are made."""

from mmdeepmot.trackers.steps.associate import Associate
from mmdeepmot.trackers.steps.base import Step
from mmdeepmot.trackers.steps.compensate import Compensate
from mmdeepmot.trackers.steps.lifecycle import Birth, Confirm, Retire
from mmdeepmot.trackers.steps.move import Predict, Propagate
from mmdeepmot.trackers.steps.observe import Observe
from mmdeepmot.trackers.steps.re_update import ReUpdate
from mmdeepmot.trackers.steps.refine import Refine
from mmdeepmot.trackers.steps.remember import Remember
from mmdeepmot.trackers.steps.report import Report
from mmdeepmot.trackers.steps.suppress import RemoveDuplicates, Suppress

__all__ = [
    "Associate",
    "Birth",
    "Compensate",
    "Confirm",
    "Observe",
    "Predict",
    "Propagate",
    "ReUpdate",
    "Refine",
    "Remember",
    "RemoveDuplicates",
    "Report",
    "Retire",
    "Step",
    "Suppress",
]
