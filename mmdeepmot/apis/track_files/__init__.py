"""Many detection files to many result files: one task a sequence, in any number of processes."""

from mmdeepmot.apis.track_files.manifest import Manifest, fingerprint
from mmdeepmot.apis.track_files.plan import (
    add_camera,
    check_overwriting,
    choose_sequences,
    find_gt,
    plan_tasks,
)
from mmdeepmot.apis.track_files.progress import Progress
from mmdeepmot.apis.track_files.task import SequenceSummary, SequenceTask, Settings, track_file

__all__ = [
    "Manifest",
    "Progress",
    "SequenceSummary",
    "SequenceTask",
    "Settings",
    "add_camera",
    "check_overwriting",
    "choose_sequences",
    "find_gt",
    "fingerprint",
    "plan_tasks",
    "track_file",
]
