"""Exported detectors find what torch finds, whatever the number of images."""

import copy
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from mmcv.ops import ModulatedDeformConv2dPack
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from fairmot_small import small_fairmot_config
from jde_small import people

from mmdeepmot.apis import MOTInferencer
from mmdeepmot.apis.export import (
    compare,
    example_images,
    export_detector,
    exportable,
    input_size,
)
from mmdeepmot.apis.export.compare import differences
from mmdeepmot.apis.export.deform_conv import SampledDeformConv
from mmdeepmot.apis.export.suppression import batched_nms
from mmdeepmot.apis.load_model import load_model
from mmdeepmot.engine.config import load_config
from mmdeepmot.errors import InputError
from mmdeepmot.models.detectors.onnx_detector import OnnxDetector, open_session, trained_parts
from mmdeepmot.registry import MODELS

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


def moved(layer: nn.Module, std: float = 0.5) -> nn.Module:
    """Deformable convolutions whose points are moved, with much ``std`` far out of the image."""
    for module in layer.modules():
        if isinstance(module, ModulatedDeformConv2dPack):
            nn.init.normal_(module.conv_offset.weight, std=std)
            nn.init.normal_(module.conv_offset.bias, std=1.0)
    return layer


@pytest.mark.parametrize("options", [{}, {"stride": 2}, {"dilation": 2, "padding": 2}], ids=str)
def test_deform_conv_by_sampling(options):
    layer = moved(ModulatedDeformConv2dPack(3, 5, 3, **{"padding": 1, **options}))
    images = torch.randn(2, 3, 9, 12)
    with torch.no_grad():
        torch.testing.assert_close(
            SampledDeformConv(layer)(images), layer(images), atol=1e-5, rtol=1e-4
        )
    with pytest.raises(ValueError, match="got groups=1, deform_groups=3"):
        SampledDeformConv(ModulatedDeformConv2dPack(3, 5, 3, deform_groups=3))


def test_nms_of_a_batch():
    box = torch.tensor([0.0, 0, 10, 10])
    boxes = torch.stack([box, box + 1, box + 30])
    scores = torch.tensor([[0.6, 0.9, 0.7], [0.4, 0.3, 0.8]])
    image, number = batched_nms(boxes.expand(2, 3, 4), scores, iou_thr=0.5, score_thr=0.5)
    assert image.tolist() == [0, 0, 1]
    assert number.tolist() == [1, 2, 2]


@pytest.fixture
def fairmot():
    """A TrackingModel around a small FairMOT with deformable convolutions and two classes."""
    detector = small_fairmot_config(num_classes=2, box="ltrb")
    detector["test_cfg"] = dict(score_thr=0.5)
    detector["neck"]["use_dcn"] = True
    torch.manual_seed(0)
    model = MODELS.build(dict(type="TrackingModel", detector=detector)).eval()
    moved(model.detector, std=0.02)  # with more, rounding grows from layer to layer
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():  # normalised features, or all places were alike
        model.train().detector(torch.rand(4, 3, 96, 128), mode="tensor")
    head = model.detector.bbox_head
    nn.init.normal_(head.heatmap[-1].weight, std=0.5)
    nn.init.constant_(head.size[-1].bias, 4.0)  # about 32x32 px
    return model.eval()


def as_found(session, images: torch.Tensor) -> dict[str, np.ndarray]:
    names = ["images", "bboxes", "scores", "labels", "embeddings"]
    return dict(zip(names, session.run(names, {"inputs": images.numpy()}), strict=True))


def check_any_number(model, file, images) -> dict[str, np.ndarray]:
    """One image and three as in torch, and each of the three as by itself; the three's outputs."""

    def near(result, at_least):
        assert result.found > at_least and result.unmatched == 0
        assert result.bboxes < 0.05 and result.scores < 2e-3 and result.embeddings < 1e-3

    for number in (1, 3):
        near(compare(model, file, images[:number]), 5 * number)
    session, _ = open_session(file)
    found = as_found(session, images)
    assert set(found["images"]) == {0, 1, 2}
    for number in range(3):
        own = {name: value[found["images"] == number] for name, value in found.items()}
        alone = as_found(session, images[number : number + 1])
        near(differences({**own, "images": 0 * own["images"]}, alone), 5)
    return found


def test_fairmot_for_any_number_of_images(fairmot, tmp_path):
    export_detector(fairmot, tmp_path / "f.onnx", (128, 96))
    _, about = open_session(tmp_path / "f.onnx")
    assert about == {
        "format": 1, "detector": "FairMOT", "task": "track", "width": 128, "height": 96,
        "channels": "RGB", "mean": [0, 0, 0], "std": [255, 255, 255], "score_thr": 0.5,
        "min_area": 100.0, "max_aspect": 1.6,
    }  # fmt: skip
    found = check_any_number(fairmot, tmp_path / "f.onnx", torch.rand(3, 3, 96, 128))
    assert set(found["labels"]) == {0, 1}
    assert (np.diff(found["images"]) >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(found["embeddings"], axis=1), 1, atol=1e-5)


def test_the_detector_of_a_file_predicts_as_the_one_that_was_exported(fairmot, tmp_path):
    for task in ("track", "detection"):
        export_detector(fairmot, tmp_path / f"{task}.onnx", (128, 96), task)
        ours, theirs = fairmot.detector, OnnxDetector(str(tmp_path / f"{task}.onnx"))
        images, samples = torch.rand(4, 3, 96, 128), people()
        for sample in samples:
            sample.set_metainfo({"scale_factor": (0.5, 0.25), "pad_offset": (4.0, 0.0)})
        with torch.no_grad():
            ours.predict(images, samples, task=task)
        expected = [sample.pred_instances for sample in samples]
        theirs.predict(images, samples, task=task)
        assert sum(map(len, expected)) > 20
        for one, sample in zip(expected, samples, strict=True):
            found = sample.pred_instances
            assert len(one) == len(found)
            for key in ("bboxes", "scores", "labels", "embeddings"):
                torch.testing.assert_close(
                    found[key], one[key], atol=0.2 if key == "bboxes" else 5e-3, rtol=1e-4, msg=key
                )


def test_no_detections(fairmot, tmp_path):
    nn.init.constant_(fairmot.detector.bbox_head.heatmap[-1].bias, -50.0)
    export_detector(fairmot, tmp_path / "f.onnx", (64, 64))
    samples = people()[:2]
    OnnxDetector(str(tmp_path / "f.onnx")).predict(torch.rand(2, 3, 64, 64), samples)
    assert [s.pred_instances.embeddings.shape for s in samples] == [(0, 16)] * 2
    assert compare(fairmot, tmp_path / "f.onnx", torch.rand(1, 3, 64, 64)).found == 0


@pytest.fixture
def jde(tiny_project):
    """The tiny project's model."""
    return load_model(load_config("tiny.py"), "weights.pth", "cpu", lambda _: None)


def frames(model) -> torch.Tensor:
    """Three frames of two sequences, ``(3, 3, H, W)``, normalised."""
    files = ["street/A/img1/000001.png", "street/B/img1/000003.png", "street/A/img1/000006.png"]
    return example_images(model.data_preprocessor, tiny.SIZE, files)


def test_jde_for_any_number_of_images(jde):
    export_detector(jde, "jde.onnx", tiny.SIZE)
    check_any_number(jde, "jde.onnx", frames(jde))


def test_all_candidates_are_compared_where_nothing_is_found(jde, monkeypatch, capsys):
    tool = tiny.load_tool("export_onnx")
    nothing = "tiny.py weights.pth --cfg-options model.detector.test_cfg.score_thr=0.9999"
    assert tiny.call(tool, nothing) == 0
    first, second = [line for line in capsys.readouterr().out.splitlines() if "beside" in line]
    assert first.startswith("beside torch: 0 detections, 0 of one program only")
    candidates = int(re.match(r"beside torch, with score_thr 0: (\d+) detections, 0 of", second)[1])
    assert candidates > 20
    assert open_session("weights.onnx")[1]["score_thr"] == 0.9999

    def shifted(detector, task):
        detector = copy.deepcopy(detector)
        detector.bbox_head.anchor_sizes += 1
        return exportable(detector, task)

    with monkeypatch.context() as patch:
        patch.setattr("mmdeepmot.apis.export.write.exportable", shifted)
        assert tiny.call(tool, nothing) == 1
    assert "error: ONNX Runtime and torch differ in" in capsys.readouterr().out


def test_nothing_compared_is_no_success(tiny_project, capsys):
    state = torch.load("weights.pth", weights_only=True)["state_dict"]
    for scale in range(3):
        state[f"detector.bbox_head.box_convs.{scale}.1.bias"][4::6] = 200.0  # background
    torch.save({"state_dict": state}, "blind.pth")
    assert tiny.call(tiny.load_tool("export_onnx"), "tiny.py blind.pth") == 1
    said = capsys.readouterr().out
    assert said.count(": 0 detections") == 2
    assert "error: nothing was found to compare: give --images FILE" in said


def test_jde_is_exported_by_the_command_and_tracks_as_in_torch(tiny_project, capsys):
    images = "street/A/img1/000001.png street/B/img1/000004.png"
    export = f"tiny.py weights.pth --images {images}"
    assert tiny.call(tiny.load_tool("export_onnx"), export) == 0
    said = capsys.readouterr().out
    assert "wrote weights.onnx: 128x96 px" in said and "0 of one program only" in said
    demo = tiny.load_tool("demo")
    rows = {}
    for backend, file in (("torch", "weights.pth"), ("onnxruntime", "weights.onnx")):
        text = f"{backend}.txt"
        call = f"street/A tiny.py --checkpoint {file} --backend {backend} --txt {text}"
        assert tiny.call(demo, call) == 0
        rows[backend] = np.loadtxt(text, delimiter=",")
    assert len(rows["torch"]) > 10
    np.testing.assert_allclose(rows["onnxruntime"], rows["torch"], atol=0.02)


def test_a_file_is_scored_without_a_checkpoint(tiny_project, capsys):
    assert tiny.call(tiny.load_tool("export_onnx"), "tiny.py weights.pth --no-check") == 0
    Path("exported.py").write_text(
        '_base_ = "tiny.py"\n'
        'model = dict(detector=dict(_delete_=True, type="OnnxDetector", file="weights.onnx"))\n'
    )
    test, rows = tiny.load_tool("test"), {}
    for call in ("exported.py", "tiny.py weights.pth"):
        assert tiny.call(test, f"{call} --out {call.split('.')[0]}.json") == 0
        rows[call] = json.loads(Path(f"{call.split('.')[0]}.json").read_text())["tables"]["track"]
    one, other = (found["rows"]["OVERALL"] for found in rows.values())
    assert one["FP"] == other["FP"] > 0 and one["MOTP"] == pytest.approx(other["MOTP"], abs=0.01)


def test_parts_whose_weights_no_file_has_are_not_left_untrained(fairmot, tiny_project):
    export_detector(fairmot, "f.onnx", (128, 96))
    cfg = load_config("tiny.py")
    reid = dict(type="ReIDNet", backbone=dict(type="ResNet", depth=18), head=dict(type="IDEHead"))
    cfg.model.reid = reid
    assert trained_parts(cfg.model) == ["detector", "reid"]
    with pytest.raises(InputError, match=r"model\.reid of .*tiny\.py needs some too"):
        MOTInferencer(cfg, "f.onnx", backend="onnxruntime")
    cfg.model.reid = {**reid, "weights": "reid.pth"}
    assert trained_parts({**cfg.model, "detector": dict(type="OnnxDetector")}) == []


def test_images_prepared_in_another_way_are_refused(fairmot, tmp_path):
    export_detector(fairmot, tmp_path / "f.onnx", (64, 64))
    detector = dict(type="OnnxDetector", file=str(tmp_path / "f.onnx"))
    MODELS.build(dict(type="TrackingModel", detector=detector))
    other = dict(type="MOTDataPreprocessor", bgr_to_rgb=False)
    with pytest.raises(InputError, match=r"f\.onnx wants images of RGB, .* gives BGR, mean"):
        MODELS.build(dict(type="TrackingModel", detector=detector, data_preprocessor=other))


def test_wrong_use_is_named(fairmot, tiny_project, capsys):
    export_detector(fairmot, "f.onnx", (64, 64))
    detector = OnnxDetector("f.onnx")
    with pytest.raises(InputError, match=r"f\.onnx takes images of 64x64 px, .* gives 96x64: .*"):
        detector.predict(torch.rand(1, 3, 64, 96), people()[:1])
    with pytest.raises(InputError, match="written for the task 'track', asked for is 'detection'"):
        detector.predict(torch.rand(1, 3, 64, 64), people()[:1], task="detection")
    with pytest.raises(FileNotFoundError, match=r"none\.onnx does not exist; write it with"):
        OnnxDetector("none.onnx")
    Path("bad.onnx").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"bad\.onnx: not a readable ONNX file"):
        OnnxDetector("bad.onnx")
    with pytest.raises(InputError, match="`detector` is one of JDE, FairMOT, got ReLU"):
        exportable(nn.ReLU())
    for opset in (11, 21):
        with pytest.raises(InputError, match=f"at least 16 .* at most 20 .*, got {opset}"):
            export_detector(fairmot, "f.onnx", (64, 64), opset=opset)
    with pytest.raises(InputError, match=r"\(width, height\) px, got \(0, 64\)"):
        export_detector(fairmot, "f.onnx", (0, 64))
    with pytest.raises(InputError, match="multiples of 32, got 40x64"):
        export_detector(fairmot, "g.onnx", (64, 40))
    assert not Path("g.onnx").exists()
    demo = tiny.load_tool("demo")
    assert tiny.call(demo, "street/A tiny.py --backend onnxruntime --checkpoint weights.pth") == 1
    assert "not a readable ONNX file" in capsys.readouterr().err


def test_input_size(tiny_project):
    cfg = load_config("tiny.py")
    assert input_size(cfg) == tiny.SIZE
    cfg.test_dataloader.dataset.pipeline, cfg.test_pipeline = [], []
    with pytest.raises(InputError, match=r"no step of the test pipeline has a `size`; give --size"):
        input_size(cfg)


def test_differences_by_hand():
    def outputs(boxes, scores, looks, images=None):
        number = len(boxes)
        return {
            "images": np.zeros(number, int) if images is None else np.array(images),
            "labels": np.zeros(number, int),
            "bboxes": np.array(boxes, float).reshape(-1, 4),
            "scores": np.array(scores),
            "embeddings": np.array(looks, float).reshape(-1, 2),
        }

    one = outputs([[0, 0, 10, 10], [50, 0, 60, 10]], [0.9, 0.8], [[1, 0], [1, 0]])
    other = outputs(
        [[50, 0, 60, 10.5], [0, 0, 10, 10], [80, 0, 90, 10]],
        [0.8, 0.7, 0.6], [[1, 0], [0.6, 0.8], [1, 0]],
    )  # fmt: skip
    found = differences(one, other)
    assert (found.found, found.unmatched, found.bboxes) == (2, 1, 0.5)
    assert found.scores == pytest.approx(0.2) and found.embeddings == pytest.approx(0.4)
    elsewhere = outputs(one["bboxes"], one["scores"], one["embeddings"], images=[1, 1])
    assert differences(one, elsewhere).unmatched == 4
    nothing = outputs([], [], [])
    assert differences(nothing, one).unmatched == 2 and differences(nothing, nothing).found == 0


def test_the_description_is_json(fairmot, tmp_path):
    export_detector(fairmot, tmp_path / "f.onnx", (64, 64))
    session = onnxruntime.InferenceSession(str(tmp_path / "f.onnx"))
    assert json.loads(session.get_modelmeta().custom_metadata_map["mmdeepmot"])["width"] == 64
    shapes = {one.name: one.shape for one in (*session.get_inputs(), *session.get_outputs())}
    assert shapes["inputs"] == ["batch", 3, 64, 64]
