"""What each result in a folder was made of, so that a resumed run skips only what is the same."""

import hashlib
import json
import os
import uuid
from pathlib import Path

import mmdeepmot
from mmdeepmot.apis.detections import find_info
from mmdeepmot.apis.track_files.task import Options, SequenceTask, Settings, known_of

MANIFEST = "track_dets.json"

_ENTRY = ("inputs", "result")


def fingerprint(settings: Settings, tracker: Options, task: SequenceTask) -> str:
    """Digest of all that a sequence's result is made of (of images: names and sizes).

    Args:
        settings: What is done to every sequence.
        tracker: Its tracker's config.
        task: The sequence.
    """
    images: list[tuple[str, int]] = []
    if task.images is not None:
        images = sorted((entry.name, entry.stat().st_size) for entry in os.scandir(task.images))
    info = find_info(task.dets) or task.info
    parts = [
        mmdeepmot.__version__,
        tracker,
        settings.min_score,
        settings.interpolate,
        settings.max_gap if settings.interpolate is not None else None,
        known_of(info),
        None if task.camera is None else dict(task.camera),
        images,
        settings.with_classes,
    ]
    text = json.dumps(parts, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode() + task.dets.read_bytes()).hexdigest()


class Manifest:
    """What each result in a folder was made of.

    Args:
        out: Folder of the results. A manifest that cannot be read counts as empty.
    """

    def __init__(self, out: Path) -> None:
        self._path = out / MANIFEST
        self._made: dict[str, dict[str, str]] = {}
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            made = content["sequences"]
            self._made = {name: {k: str(made[name][k]) for k in _ENTRY} for name in made}
        except (OSError, ValueError, KeyError, TypeError):
            return

    def is_current(self, name: str, inputs: str, result: Path) -> bool:
        """Whether a result is the one that was made of these inputs."""
        entry = self._made.get(name)
        return entry == {"inputs": inputs, "result": _digest(result)}

    def add(self, name: str, inputs: str, result: Path) -> None:
        """Note a result that has been written, on the disk too."""
        self._made[name] = {"inputs": inputs, "result": _digest(result) or ""}
        content = {"sequences": dict(sorted(self._made.items()))}
        temporary = self._path.with_name(f".{MANIFEST}.{uuid.uuid4().hex[:8]}")
        try:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            os.replace(temporary, self._path)
        finally:
            temporary.unlink(missing_ok=True)


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
