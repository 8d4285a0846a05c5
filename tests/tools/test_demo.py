"""The demo tool, from its command line."""

import importlib.util
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import torch

from mmdeepmot.io.mot import read_mot_text
from mmdeepmot.io.video import open_video


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def demo(repository: Path) -> ModuleType:
    return load(repository / "tools" / "demo.py", "demo_tool")


@pytest.fixture
def place(tmp_path: Path, repository: Path, monkeypatch) -> Path:
    """A folder to work in: ``blobs.py`` (config), ``street/`` (12 images), ``weights.pth``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(repository / "tests" / "apis"))
    blobs = load(repository / "tests" / "apis" / "conftest.py", "blob_fixtures")
    (tmp_path / "blobs.py").write_text(blobs.CONFIG.format(repository=repository))
    (tmp_path / "street").mkdir()
    for index, image in enumerate(blobs.blob_frames(12)):
        cv2.imwrite(str(tmp_path / "street" / f"{index + 1}.png"), image)
    torch.save({"state_dict": {"detector.weight": torch.zeros(2)}}, tmp_path / "weights.pth")
    return tmp_path


def test_video_and_text_of_a_folder(demo, place, capsys):
    arguments = "street blobs.py --checkpoint weights.pth --out a/v.mp4 --txt a/t.txt --device cpu"
    assert demo.main([*arguments.split(), "--batch-size", "5"]) == 0
    out = capsys.readouterr().out
    assert "tracking street: 320x160 px, 30 frames/s, 12 frames, on cpu" in out
    assert "12 frames in 0:" in out
    assert "wrote a/v.mp4" in out
    assert "wrote a/t.txt" in out
    assert len(list(open_video("a/v.mp4"))) == 12
    rows = read_mot_text("a/t.txt", "result")
    assert set(rows.frames.tolist()) >= {4, 12}
    assert len(np.unique(rows.ids)) == 2


def test_a_video_and_a_limit_of_frames(demo, place):
    base = "blobs.py --checkpoint weights.pth --device cpu"
    assert demo.main(f"street {base} --out v.mp4 --fps 12".split()) == 0
    assert demo.main(f"v.mp4 {base} --txt t.txt --max-frames 7".split()) == 0
    assert read_mot_text("t.txt", "result").frames.max() == 7
    assert open_video("v.mp4").fps == 12


def test_without_outputs_the_video_goes_to_the_work_dir(demo, place, capsys):
    run = Path("work_dirs/blobs")
    run.mkdir(parents=True)
    os.replace("weights.pth", run / "epoch_2.pth")
    assert demo.main(["street", "blobs.py", "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert "newest checkpoint: work_dirs/blobs/epoch_2.pth" in out
    assert "wrote work_dirs/blobs/street.mp4" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nothing.mp4 blobs.py --checkpoint weights.pth", "error: nothing.mp4: expected a video"),
        ("street nothing.py --checkpoint weights.pth", "error: config nothing.py: expected a"),
        ("street blobs.py", "error: no checkpoint of blobs in work_dirs/blobs: train one"),
        ("street blobs.py --checkpoint none.pth", "error: checkpoint none.pth does not exist"),
        ("street blobs.py --checkpoint weights.pth --out v.avi", "file name that ends in .mp4"),
        ("street blobs.py --checkpoint weights.pth --max-frames 0", "max_frames must be at least"),
        ("street blobs.py --checkpoint weights.pth --device cuda:99", "CUDA devices"),
        ("street blobs.py --checkpoint weights.pth --fps -2", "fps must lie in"),
        (
            "street blobs.py --checkpoint weights.pth --cfg-options model.detector.wieght=1",
            "weight",
        ),
    ],
)
def test_wrong_input_is_an_error_in_one_line(demo, place, capsys, arguments, message):
    device = [] if "--device" in arguments else ["--device", "cpu"]
    assert demo.main([*arguments.split(), *device]) == 1
    error = capsys.readouterr().err.strip()
    assert message in error
    assert error.startswith("error: ")
    assert not list(place.glob("*.mp4"))


def test_a_malicious_checkpoint_is_refused_and_not_executed(demo, place, capsys):
    class Malicious:
        def __reduce__(self):
            return (os.mkdir, (str(place / "executed"),))

    torch.save({"state_dict": {"detector.weight": Malicious()}}, "evil.pth")
    assert demo.main(["street", "blobs.py", "--checkpoint", "evil.pth", "--out", "v.mp4"]) == 1
    assert "evil.pth: refused" in capsys.readouterr().err
    assert not (place / "executed").exists()
    assert not (place / "v.mp4").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_closes_the_outputs(place, repository, number):
    camera = place / "slow.py"  # a source without end, as a camera is
    camera.write_text(
        "import sys, time\n"
        "from importlib.util import module_from_spec, spec_from_file_location\n"
        "from mmdeepmot.io import video\n"
        "class Endless(video.FolderSource):\n"
        "    def _read(self):\n"
        "        image = video.read_image(self._paths[0])\n"
        "        for index in range(10**6):\n"
        "            time.sleep(0.01)\n"
        "            yield index, 'frame', image\n"
        "video.FolderSource = Endless\n"
        "spec = spec_from_file_location('demo', sys.argv[1])\n"
        "demo = module_from_spec(spec)\n"
        "spec.loader.exec_module(demo)\n"
        "sys.exit(demo.main(sys.argv[2:]))\n"
    )
    paths = [str(repository), str(repository / "tests" / "apis")]
    process = subprocess.Popen(
        [
            *(sys.executable, str(camera), str(repository / "tools" / "demo.py")),
            *("street", "blobs.py", "--checkpoint", "weights.pth", "--device", "cpu"),
            *("--batch-size", "1", "--out", "v.mp4", "--txt", "t.txt"),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 240  # a busy machine takes its time to start
    while not list(place.glob(".v.part*.mp4")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(place.glob(".v.part*.mp4"))
    time.sleep(0.5)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "wrote v.mp4" in out
    count = len(list(open_video("v.mp4")))
    assert count >= 1
    assert f"{count} frames in" in out or f"{count - 1} frames in" in out
    assert Path("t.txt").is_file()
    assert not list(place.glob(".*.mp4"))


def test_progress_tells_time_left_and_speed(demo):
    progress = demo.Progress(300, io.StringIO())
    progress.count = 100
    assert progress.line(20.0, 7) == "frame 100/300 (33%)  7 tracks  5.0 frames/s, 0:40 left"
    endless = demo.Progress(None, io.StringIO())
    endless.count = 10
    assert endless.line(2.0, 1) == "frame 10  1 tracks  5.0 frames/s"
    assert demo._clock(3723.4) == "1:02:03"
    assert demo._clock(59.6) == "1:00"


def test_progress_in_a_terminal_keeps_to_one_line(demo):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    progress = demo.Progress(3, out)
    progress._shown -= 10
    progress.advance(2)
    assert out.getvalue().startswith("\rframe 1/3 (33%)  2 tracks")
    assert "\n" not in out.getvalue()
    assert progress.finish().startswith("1 frames in 0:00")


def test_help(repository):
    command = [sys.executable, str(repository / "tools" / "demo.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0
    assert "camera index" in done.stdout
