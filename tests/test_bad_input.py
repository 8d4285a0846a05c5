"""Bad input through every command: a clear error and a non-zero exit, or a counted warning.

What a message says of the file, the line and the remedy is tested beside the code that says it;
here, that it reaches whoever typed the command, without a traceback, and that nothing already
written is lost.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny
import torch

from mmdeepmot.io.mot import read_mot_text
from mmdeepmot.io.video import open_video
from mmdeepmot.io.video_writer import VideoWriter

Call = Callable[[str], tuple[int, str, str]]


@pytest.fixture(scope="session")
def tools() -> dict:
    names = {"train": "train", "test": "test", "demo": "demo"}
    names["make_synthmot"] = "dataset_converters/make_synthmot"
    return {name: tiny.load_tool(path) for name, path in names.items()}


@pytest.fixture
def place(tiny_project: Path) -> Path:
    return tiny_project


@pytest.fixture
def run(tools, place, capfd) -> Call:
    """Runs ``TOOL ARGUMENTS``; exit status, stdout and stderr (of worker processes too)."""

    def call(line: str) -> tuple[int, str, str]:
        name, _, arguments = line.partition(" ")
        return tiny.call(tools[name], arguments), *capfd.readouterr()

    return call


@pytest.fixture
def refused(run: Call) -> Callable[[str, str], str]:
    """Runs a command that must end with an error in one piece; what it printed before."""

    def call(line: str, message: str) -> str:
        code, out, err = run(line)
        last = err.strip().splitlines()[-1]
        assert code == 1 and last.startswith("error: "), err
        assert re.search(message, last), last
        assert "Traceback" not in err + out
        return out

    return call


def edit_line(number: int, line: str | None, sequence: str = "A") -> None:
    """Replaces a line (from 1) of a sequence's ground truth."""
    path = Path(f"street/{sequence}/gt/gt.txt")
    lines = path.read_text().splitlines()
    lines[number - 1] = line or ""
    path.write_text("\n".join(lines) + "\n")


# ------------------------------------------------------------------------------- ground truth

BAD_LINES = {
    "empty": ("", "expected a row of numbers, got an empty line"),
    "malformed": ("1,1,walking,10,16,48,1,1,1", "expected numbers, got '1,1,walking"),
    "too short": ("1,1,8,10", "expected 7 to 10 comma-separated numbers .*got 4"),
    "NaN": ("1,1,nan,10,16,48,1,1,1", "expected finite numbers, got"),
    "infinite": ("1,1,8,inf,16,48,1,1,1", "expected finite numbers, got"),
    "non-positive": (
        "1,1,8,10,0,48,1,1,1",
        "expected a box of positive width and height, got width 0",
    ),
    "outside": ("1,1,500,10,16,48,1,1,1", "expected a box that meets the image of 128x96 px, got"),
    "duplicate": (
        "1,3,8,10,16,48,1,1,1",
        "expected one box for each id in a frame, got id 3 twice",
    ),
}


@pytest.mark.parametrize("what", BAD_LINES)
def test_a_bad_line_of_ground_truth_stops_a_strict_training(what, refused):
    line, message = BAD_LINES[what]
    edit_line(2, line)
    row = 3 if what == "duplicate" else 2  # the second one of the two
    refused(
        "train tiny.py --cfg-options train_dataloader.dataset.strict=True",
        rf"street/A/gt/gt.txt:{row}: {message}.*Correct or remove the row",
    )


def test_bad_lines_are_skipped_and_counted_by_default(run):
    for number, (line, _) in enumerate(BAD_LINES.values(), start=4):
        edit_line(number, line)
    code, out, err = run("train tiny.py")
    assert code == 0, err
    assert "skipped 8 of 18 rows of street/A/gt/gt.txt; the first: street/A/gt/gt.txt:4: " in out
    assert Path("work_dirs/tiny/epoch_1.pth").is_file()


def test_a_bad_line_of_a_result_is_never_scored(refused):
    shutil.copytree("street", "found")
    for name in "AB":
        shutil.copy(f"street/{name}/gt/gt.txt", f"found/{name}.txt")
    text = Path("found/B.txt").read_text().splitlines()
    Path("found/B.txt").write_text("\n".join([*text[:4], "1,1,8,10,16,nan,1", *text[4:]]))
    refused("test --results found --gt street", r"found/B.txt:5: expected finite numbers, got")


def test_a_sequence_without_ground_truth(run, refused):
    Path("street/B/gt/gt.txt").unlink()
    refused("test tiny.py weights.pth", r"street/B/gt/gt.txt: sequence with no ground truth.*Leave")
    code, out, err = run("train tiny.py")
    assert code == 0, err
    assert "skipped 1 of 2 sequences; the first: street/B/gt/gt.txt: sequence with no" in out
    option = "--cfg-options test_dataloader.dataset.require_gt=False"
    code, out, err = run(f"test tiny.py weights.pth --format-only --out found {option}")
    assert code == 0, err
    assert len(read_mot_text("found/B.txt", "result", strict=True)) > 0
    for name in "AB":
        Path(f"street/{name}/gt/gt.txt").write_text("")
    refused("train tiny.py", "expected sequences with ground truth, found none among 2")


# ---------------------------------------------------------------------------- folders and images


@pytest.mark.parametrize("command", ["train tiny.py", "test tiny.py weights.pth"])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda: shutil.rmtree("street"), r"data_root street \(absolute: .*set data_root in"),
        (
            lambda: (shutil.rmtree("street"), Path("street/notes").mkdir(parents=True)),
            r"expected sequence folders .*found \['notes'\]",
        ),
        (
            lambda: shutil.rmtree("street/B/img1"),
            r"street/B/img1: expected the images of sequence B, found no such folder",
        ),
        (
            lambda: Path("street/A/seqinfo.ini").write_text("[Sequence]\nframeRate=fast\n"),
            r"street/A/seqinfo.ini: expected a positive number for framerate, got 'fast'",
        ),
    ],
    ids=["no folder", "no sequences", "no images", "bad seqinfo"],
)
def test_folders_that_are_not_as_expected(command, spoil, message, refused):
    spoil()
    refused(command, message)


def truncate(path: str) -> None:
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("workers", [0, 1])
def test_a_truncated_image_stops_a_test(workers, refused):
    truncate("street/B/img1/000003.png")
    refused(
        "test tiny.py weights.pth --out found --show-dir seen "
        f"--cfg-options test_dataloader.num_workers={workers}",
        r"street/B/img1/000003.png: image is truncated \(\d+ bytes, no end marker\): fetch it",
    )
    assert len(list(open_video("seen/A.mp4"))) == 6  # what was tracked before is there to be seen


def test_unreadable_images_are_replaced_and_counted_in_training(run):
    truncate("street/A/img1/000003.png")
    Path("street/B/img1/000001.png").write_text("no image")
    code, out, err = run("train tiny.py")
    assert code == 0, err
    assert "street/A/img1/000003.png: image is truncated" in out
    assert "street/B/img1/000001.png: expected an image, but it cannot be decoded" in out
    assert re.search(r"unreadable image replaced by the next sample .*; 2 so far", out)


@pytest.mark.parametrize("command", ["train tiny.py", "test tiny.py weights.pth"])
def test_the_image_size_changes_inside_a_sequence(command, refused):
    cv2.imwrite("street/A/img1/000004.png", np.zeros((48, 64, 3), np.uint8))
    refused(
        command, r"A/img1/000004.png: frame 4 of sequence A is 64x48 px where .* 128x96 px: all"
    )


def test_the_demo_keeps_the_frames_before_a_bad_one(refused):
    cv2.imwrite("street/A/img1/000004.png", np.zeros((48, 64, 3), np.uint8))
    demo = "demo street/A tiny.py --checkpoint weights.pth --device cpu"
    out = refused(f"{demo} --out v.mp4 --txt t.txt", r"000004.png.*128x96 px.*got 64x48")
    assert "wrote v.mp4" in out and "wrote t.txt" in out
    assert len(list(open_video("v.mp4"))) == 3
    assert read_mot_text("t.txt", "result").frames.max() <= 3


def test_videos_that_cannot_be_read(run, refused):
    with VideoWriter("whole.mp4", fps=10) as writer:
        for path in sorted(Path("street/A/img1").iterdir()) * 20:
            writer.write(cv2.imread(str(path)))
    content = Path("whole.mp4").read_bytes()
    Path("cut.mp4").write_bytes(content[: len(content) * 3 // 4])
    Path("head.mp4").write_bytes(content[:100])
    Path("text.mp4").write_text("no video")
    demo = "tiny.py --checkpoint weights.pth --device cpu --out v.mp4"
    for name in ("head.mp4", "text.mp4"):
        refused(f"demo {name} {demo}", rf"{name}: .*video")
        assert not Path("v.mp4").exists()
    code, out, err = run(f"demo cut.mp4 {demo}")
    assert code == 0 and "wrote v.mp4" in out, err
    warned = re.search(r"cut.mp4: ended after frame (\d+) where the file announces 120 frames", out)
    assert warned is not None
    assert 0 < len(list(open_video("v.mp4"))) == int(warned[1]) < 120


def test_frames_without_any_detection(run):
    option = "--cfg-options model.detector.test_cfg.score_thr=2.0"
    code, out, err = run(f"test tiny.py weights.pth --out found --show-dir seen {option}")
    assert code == 0, err
    overall = next(line.split() for line in out.splitlines() if line.startswith("OVERALL"))
    assert overall[1:9] == ["0.00", "0.00", "0.00", "-", "0", "0", "36", "0"]
    assert Path("found/A.txt").read_text() == ""
    assert len(list(open_video("seen/A.mp4"))) == 6


# -------------------------------------------------------------------------------------- configs

MISSPELT = {
    "top-level key": ("optim_wraper = dict()", r"bad.py:2: unknown key 'optim_wraper'.*wrapper'"),
    "nested key": (
        "model = dict(detector=dict(bbox_head=dict(embed_dim=8)))",
        r"bad.py:2: model.detector.bbox_head: JDEHead has no argument 'embed_dim' .*'embed_dims'",
    ),
    "key of a dict without type": (
        "model = dict(detector=dict(test_cfg=dict(score_thre=0.5)))",
        r"test_cfg has no key 'score_thre' \(did you mean 'score_thr'\?\)",
    ),
    "type": (
        "model = dict(detector=dict(bbox_head=dict(type='JDEHed')))",
        r"bad.py:2: model.detector.bbox_head: unknown type 'JDEHed'.*did you mean 'JDEHead'",
    ),
    "step of the tracker": (
        "model = dict(tracker=dict(steps=[dict(type='Predikt')]))",
        r"bad.py:2: model.tracker.steps.0: unknown type 'Predikt'.*did you mean 'Predict'",
    ),
    "base": ("_base_ = 'tini.py'", r"bad.py:2: _base_: config .*tini.py does not exist; did you"),
    "syntax": ("model = dict(", r"bad.py:2: .*"),
    "value": (
        "model = dict(detector=dict(freeze_bn='some'))",
        r"freeze_bn must be one of .* got 'some'",
    ),
}


@pytest.mark.parametrize("what", MISSPELT)
@pytest.mark.parametrize(
    "command",
    [
        "train bad.py",
        "test bad.py weights.pth",
        "demo street/A bad.py --checkpoint weights.pth --out v.mp4 --device cpu",
    ],
    ids=lambda command: command.split()[0],
)
def test_misspelt_configs(what, command, refused):
    line, message = MISSPELT[what]
    Path("bad.py").write_text(f"_base_ = 'tiny.py'\n{line}\n")
    refused(command, message)
    assert not Path("v.mp4").exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("train bad.py", r"bad.py: no model; expected one to train with. Add a _base_ of configs"),
        ("test bad.py weights.pth", r"bad.py has no `model`, so there is nothing to test: inherit"),
        ("demo street/A bad.py --checkpoint weights.pth", r"bad.py: expected the key 'model'"),
    ],
)
def test_a_config_without_a_model(command, message, refused):
    Path("bad.py").write_text(f"_base_ = {str(tiny.ROOT / 'configs/_base_/default_runtime.py')!r}")
    refused(command, message)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("modle.detector=1", r"no key 'modle' in the config \(did you mean 'model'\?\)"),
        ("model.detector.bbox_head.num_id=9", r"no argument 'num_id' \(did you mean 'num_ids'"),
        ("model.tracker.steps.20.limit=1", r"is a list of 10; expected an index from 0 to 9"),
        ("input_size=(64,64)", r"'input_size' is a helper variable.*no effect"),
    ],
)
@pytest.mark.parametrize(
    "command",
    ["train tiny.py", "test tiny.py weights.pth", "demo street/A tiny.py --checkpoint weights.pth"],
    ids=lambda command: command.split()[0],
)
def test_misspelt_options(command, option, message, refused):
    refused(f"{command} --cfg-options {option}", rf"--cfg-options .*{message}")


# ----------------------------------------------------------------------- checkpoints and training


@pytest.mark.parametrize(
    "command",
    [
        "train tiny.py --resume other.pth",
        "train tiny.py --cfg-options load_from=other.pth",
        "test tiny.py other.pth",
        "demo street/A tiny.py --checkpoint other.pth --out v.mp4 --device cpu",
    ],
)
def test_a_checkpoint_of_another_architecture(command, refused):
    weights = torch.load("weights.pth", weights_only=True)["state_dict"]
    renamed = {f"centre.{key}": value for key, value in weights.items()}
    meta = {"epoch": 1, "iter": 3, "seed": 0}
    torch.save({"state_dict": renamed, "meta": meta}, "other.pth")
    refused(command, r"other.pth: a checkpoint of another architecture.*0 keys match.*centre")
    assert not Path("v.mp4").exists() and not list(Path().glob("work_dirs/tiny/*.pth"))


class Malicious:
    """Makes a folder when it is unpickled."""

    def __reduce__(self):
        return (Path.mkdir, (Path("executed"),))


@pytest.mark.parametrize(
    "command",
    [
        "train tiny.py --resume evil.pth",
        "train tiny.py --cfg-options load_from=evil.pth",
        "test tiny.py evil.pth",
        "demo street/A tiny.py --checkpoint evil.pth --out v.mp4 --device cpu",
    ],
)
def test_a_malicious_checkpoint_is_not_executed(command, refused):
    torch.save({"state_dict": {"x": Malicious()}, "meta": {}}, "evil.pth")
    refused(command, r"evil.pth: refused\. It is damaged, or contains objects other than tensors")
    assert not Path("executed").exists()


def test_identities_above_the_classifier(refused):
    refused(
        "train tiny.py --cfg-options model.detector.bbox_head.num_ids=5",
        r"6 identities \(0 to 5\), the classifier of .* has num_ids=5. Set num_ids=None",
    )


def test_a_loss_that_becomes_nan_names_the_batch_and_keeps_the_checkpoint(run, refused):
    assert run("train tiny.py")[0] == 0
    before = Path("work_dirs/tiny/epoch_1.pth").read_bytes()
    refused(
        "train tiny.py --resume --cfg-options train_cfg.max_epochs=3 "
        "model.data_preprocessor.std=[0,0,0]",
        r"Training stopped: the loss.*It came at epoch 2, iteration 4 \(batch 1 of the epoch\), "
        r"from the images \['street/.*png'.*The weights were not updated with it",
    )
    assert Path("work_dirs/tiny/epoch_1.pth").read_bytes() == before


# ------------------------------------------------------------------------------------- generation


def test_a_set_of_another_recipe_is_not_overwritten(run, refused):
    tiny_set = "make_synthmot --out set --sequences 1 --test-sequences 0 --frames 2 --size 160x120"
    assert run(f"{tiny_set} --workers 1")[0] == 0
    before = {path: path.read_bytes() for path in Path("set").rglob("*") if path.is_file()}
    refused(
        f"{tiny_set} --seed 5 --workers 1",
        r"set/recipe.json: the set was made with seed = 0, asked",
    )
    assert {path: path.read_bytes() for path in before} == before
    Path("file").write_text("in the way")
    refused(f"{tiny_set.replace('out set', 'out file/set')} --workers 1", r"file")
    refused("make_synthmot --out other --density 99", r"density must lie in \[0, 60\], got 99")
    assert not Path("other").exists()
