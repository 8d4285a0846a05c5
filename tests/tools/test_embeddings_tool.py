"""The tool that shows embeddings, from its command line, on a tiny set."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny
import torch

from mmdeepmot.apis.embeddings import embed_boxes, load_model, open_sequence, similarity_maps
from mmdeepmot.engine.config import load_config

FAIRMOT = """
_base_ = "tiny.py"
model = dict(detector=dict(
    _delete_=True, type="FairMOT",
    backbone=dict(type="ResNet", depth=18, base_channels=8, out_indices=(3,)),
    neck=dict(type="CTResNetNeck", in_channels=64, num_deconv_filters=(24, 16, 12),
              num_deconv_kernels=(4, 4, 4), use_dcn=False),
    bbox_head=dict(type="FairMOTHead", in_channels=12, embed_dims=16, feat_channels=8),
))
"""


@pytest.fixture(scope="session")
def tool():
    return tiny.load_tool("analysis/embeddings")


@pytest.fixture
def run(tool, tiny_project, capsys):
    """Runs a command line; exit status, stdout and stderr."""

    def call(arguments: str) -> tuple[int, str, str]:
        return tiny.call(tool, arguments), *capsys.readouterr()

    return call


@pytest.fixture
def fairmot(tiny_project: Path) -> str:
    """``fairmot.py`` and ``fairmot.pth``, not trained, beside the tiny JDE."""
    Path("fairmot.py").write_text(FAIRMOT)
    model = tiny.make_model(Path("fairmot.py"), tiny.read_images(Path("street")))
    torch.save({"state_dict": model.state_dict()}, "fairmot.pth")
    return "fairmot.py fairmot.pth"


def test_both_pictures_of_a_jde(run):
    pytest.importorskip("sklearn", reason="t-SNE needs scikit-learn")
    code, out, _ = run("tiny.py weights.pth --sequence B --out pictures --device cpu")
    assert code == 0
    assert "query: identity 1 of frame 1, looked for in frame 6 (chosen)" in out
    assert "written to pictures/similarity.png" in out
    assert "6 of 6 frames" in out and "B: 18 boxes of 3 identities, TPR@FAR=0.1" in out
    for name in ("tsne.png", "similarity.png"):
        assert cv2.imread(f"pictures/{name}").std() > 10


def test_a_query_to_a_fairmot(run, fairmot):
    code, out, err = run(
        f"{fairmot} --sequence A --query 2:3 --frame 5 --out one --pictures similarity"
    )
    assert code == 0, err
    assert "query: identity 3 of frame 2, looked for in frame 5\n" in out
    assert "similarity: this person" in out and "the nearest other" in out
    assert [path.name for path in Path("one").iterdir()] == ["similarity.png"]


@pytest.mark.parametrize(("kind", "cell"), [("jde", 16), ("fairmot", 8)])
def test_every_person_is_found_where_it_is(kind, cell, request, tiny_project):
    """In its own frame, which is twice as large as the input and letterboxed: cells are ``cell``
    px of the image, and the nearest one's middle is at most half of that away."""
    if kind == "fairmot":
        request.getfixturevalue("fairmot")
    files = ("tiny.py", "weights.pth") if kind == "jde" else ("fairmot.py", "fairmot.pth")
    cfg = load_config(files[0])
    cfg.test_dataloader.dataset.pipeline = [
        {**step, "size": (64, 64)} if "size" in step else step
        for step in cfg.test_dataloader.dataset.pipeline
    ]
    boxes, model = open_sequence(cfg, "A"), load_model(cfg, files[1])
    rows = np.flatnonzero(boxes.frames == 3)
    embeddings, valid = embed_boxes(model, boxes, rows)
    assert valid.all() and len(rows) == 3
    for row, embedding in zip(rows, embeddings, strict=True):
        heat = similarity_maps(model, boxes, embedding, 3)[0]
        assert heat.shape == (96, 128) and heat.max() <= 1 + 1e-5
        y, x = np.add(np.unravel_index(heat.argmax(), heat.shape), 0.5)
        middle = (boxes.bboxes[row, :2] + boxes.bboxes[row, 2:]) / 2
        assert np.abs(middle - (x, y)).max() <= cell / 2 + 0.5
    # All of the sequence in batches, or one by one.
    everything = np.arange(len(boxes.frames))
    together, _ = embed_boxes(model, boxes, everything, batch_size=4)
    alone, _ = embed_boxes(model, boxes, everything, batch_size=1)
    assert together == pytest.approx(alone, abs=1e-5)


def test_sequences_of_joint_sets_are_found(tiny_project):
    cfg = load_config("tiny.py")
    part = dict(cfg.test_dataloader.dataset)
    pipeline = part.pop("pipeline")
    parts = [{**part, "sequences": [name]} for name in "AB"]
    cfg.test_dataloader.dataset = dict(type="JointDataset", datasets=parts, pipeline=pipeline)
    boxes = open_sequence(cfg, "B")
    assert boxes.name == "B" and boxes.numbers.tolist() == [1, 2, 3, 4, 5, 6]
    assert np.unique(boxes.identities).tolist() == [1, 2, 3]
    assert (boxes.image(4) == cv2.imread("street/B/img1/000005.png")).all()
    assert boxes.load(4)["data_samples"].frame_number == 5
    assert boxes.bboxes[boxes.row_of(4, 2)].tolist() == [56, 22, 72, 70]


MODEL = "tiny.py weights.pth"
WRONG = {
    "sequence": (f"{MODEL} --sequence C", "the test set has no sequence 'C': it has A, B"),
    "frame": (f"{MODEL} --sequence A --frame 9", "sequence A has no frame 9: it has 1 to 6"),
    "person": (
        f"{MODEL} --sequence A --query 1:9",
        "identity 9 is not in frame 1; there are [1, 2, 3]",
    ),
    "checkpoint": ("tiny.py none.pth --sequence A", "none.pth"),
    "test set": (
        f"{MODEL} --sequence A --cfg-options test_dataloader=None",
        "tiny.py has no `test_dataloader`",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_input_is_said_in_one_line(what, run):
    arguments, message = WRONG[what]
    code, _, err = run(f"{arguments} --out wrong --pictures similarity")
    assert code == 1 and message in err.splitlines()[-1] and "Traceback" not in err


def test_a_missing_library_is_said_before_the_network_runs(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    code, out, err = run(f"{MODEL} --sequence A --out wrong")
    assert code == 1 and "pip install scikit-learn" in err and out == ""
    assert run(f"{MODEL} --sequence A --out right --pictures similarity")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (MODEL, "--sequence, --out"),
        (f"{MODEL} --sequence A --out x --query 3", "expected FRAME:ID, such as 120:7, got '3'"),
        (f"{MODEL} --sequence A --out x --frame 0", "expected a whole number from 1, got '0'"),
        (f"{MODEL} --sequence A --out x --pictures umap", "invalid choice: 'umap'"),
    ],
)
def test_wrong_command_lines(run, arguments, message):
    code, _, err = run(arguments)
    assert code == 2 and message in err
