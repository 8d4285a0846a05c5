"""The stand-in for mmcv._ext: when it is found, what it refuses, what it survives."""

import importlib.util
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

import mmdeepmot
from mmdeepmot import ops
from mmdeepmot.ops import implementations, selection
from mmdeepmot.ops.standin import StandInFinder, TorchvisionGuard

STOOD_IN = pytest.mark.skipif(
    ops.backend("cpu") == "mmcv", reason="mmcv's compiled extension is installed"
)


def run(code: str, folder: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a fresh interpreter that finds this mmdeepmot, and ``paths`` before all."""
    script = folder / "script.py"
    script.write_text(textwrap.dedent(code))
    root = Path(mmdeepmot.__file__).parent.parent
    lines = f"import sys; sys.path[:0] = {[*map(str, paths), str(root)]}\n"
    script.write_text(lines + script.read_text())
    return subprocess.run(
        [sys.executable, script], capture_output=True, text=True, cwd=folder, timeout=300
    )


def make_package(folder: Path, name: str, **modules: str) -> Path:
    """A package whose modules have the given sources; ``init`` is its ``__init__``."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("")
    for module, source in modules.items():
        (folder / name / f"{module.replace('init', '__init__')}.py").write_text(source)
    return folder


def test_import_is_cheap(tmp_path: Path) -> None:
    result = run(
        """
        import time
        start = time.perf_counter()
        import mmdeepmot, mmdeepmot.ops
        assert time.perf_counter() - start < 1, "slow"
        heavy = {"torch", "mmcv", "mmdet", "mmengine", "numpy", "cv2"} & set(sys.modules)
        assert not heavy, heavy
        """,
        tmp_path,
    )
    assert result.returncode == 0, result.stderr


def test_install_is_idempotent() -> None:
    before = list(sys.meta_path)
    ops.install()
    assert sys.meta_path == before
    assert sum(isinstance(finder, StandInFinder) for finder in before) == 1
    assert sum(isinstance(finder, TorchvisionGuard) for finder in before) == 1


def test_compiled_extension_is_found_first(tmp_path: Path) -> None:
    """Whatever lies in mmcv's folder under that name is used, not the stand-in."""
    package = make_package(tmp_path / "site", "mmcv", _ext="nms = 'compiled'")
    result = run(
        """
        import mmdeepmot, mmdeepmot.ops
        import mmcv._ext
        assert mmcv._ext.nms == "compiled"
        assert mmdeepmot.ops.backend() == "mmcv"
        """,
        tmp_path,
        package,
    )
    assert result.returncode == 0, result.stderr


@STOOD_IN
def test_module_behaves_as_one() -> None:
    import mmcv._ext as extension
    from mmengine.utils.dl_utils.misc import mmcv_full_available

    spec = importlib.util.find_spec("mmcv._ext")
    assert spec is not None and extension.__spec__ is not None
    assert mmcv_full_available()
    with pytest.raises(AttributeError, match="no attribute '__wrapped__'"):
        extension.__wrapped__  # noqa: B018
    assert callable(extension.furthest_point_sampling_forward)


@STOOD_IN
def test_every_operator_of_mmcv_imports_and_the_missing_name_themselves() -> None:
    import mmcv.ops

    boxes = torch.tensor([[0.0, 0, 4, 4]])
    with pytest.raises(
        NotImplementedError, match=r"'softnms' needs mmcv's compiled extension.*pip install"
    ):
        mmcv.ops.soft_nms(boxes, torch.ones(1))


def test_backend_and_what_it_follows_from(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ops.backend("cpu") in ("mmcv", "torch")
    monkeypatch.setattr(selection, "torchvision_serves", lambda device_type: True)
    assert implementations.operators_for(torch.device("cpu")) is implementations.PLAIN
    assert implementations.operators_for(torch.device("meta")) is implementations.TORCHVISION
    monkeypatch.setattr(selection, "torchvision_serves", lambda device_type: False)
    assert implementations.operators_for(torch.device("meta")) is implementations.PLAIN


@STOOD_IN
def test_said_once_in_the_log(tmp_path: Path) -> None:
    result = run(
        """
        import torch
        import mmdeepmot
        import mmcv.ops
        for _ in range(2):
            mmcv.ops.nms(torch.ones(1, 4), torch.ones(1), 0.5)
        """,
        tmp_path,
    )
    assert result.returncode == 0, result.stderr
    assert (result.stdout + result.stderr).count("plain PyTorch") == 1


@STOOD_IN
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype: torch.dtype) -> None:
    import mmcv.ops

    boxes = torch.tensor([[0.0, 0, 8, 8], [1, 0, 9, 8], [20, 20, 28, 28]], dtype=dtype)
    _, kept = mmcv.ops.nms(boxes, torch.tensor([0.5, 0.75, 0.25], dtype=dtype), 0.5)
    assert kept.tolist() == [1, 2]

    features = torch.randn(1, 2, 8, 8)
    rois = torch.tensor([[0, 1.0, 1, 6, 6]])
    narrow = features.to(dtype).requires_grad_()
    pooled = mmcv.ops.roi_align(narrow, rois.to(dtype), 2)
    pooled.sum().backward()
    torch.testing.assert_close(
        pooled.float(), mmcv.ops.roi_align(features, rois, 2), rtol=0, atol=0.05
    )
    assert narrow.grad is not None and narrow.grad.dtype == dtype

    layer = mmcv.ops.ModulatedDeformConv2dPack(2, 3, 3, padding=1)
    expected = layer(features)
    narrow = features.to(dtype).requires_grad_()
    output = layer.to(dtype)(narrow)
    output.sum().backward()
    torch.testing.assert_close(output.float(), expected, rtol=0, atol=0.05)
    assert narrow.grad is not None and narrow.grad.dtype == dtype


@STOOD_IN
def test_autocast_leaves_the_operators_alone() -> None:
    import mmcv.ops

    layer = mmcv.ops.DeformConv2d(2, 3, 3, padding=1)
    features, offset = torch.randn(1, 2, 6, 6), torch.randn(1, 18, 6, 6)
    expected = layer(features, offset)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(layer(features, offset), expected)


@STOOD_IN
@pytest.mark.filterwarnings("ignore")
def test_compiled_graphs_pass_by_the_operators() -> None:
    import mmcv.ops

    torch.manual_seed(1)
    layer = mmcv.ops.ModulatedDeformConv2dPack(2, 3, 3, padding=1)
    features = torch.randn(1, 2, 6, 6, requires_grad=True)
    layer(features).sum().backward()
    assert features.grad is not None
    expected = features.grad.clone()
    features.grad = None
    torch.compile(layer, backend="eager")(features).sum().backward()
    torch.testing.assert_close(features.grad, expected)


BROKEN = "raise RuntimeError('operator torchvision::nms does not exist')"


def test_broken_torchvision_counts_as_absent(tmp_path: Path) -> None:
    """The Runner of mmengine, which imports it to log its version, goes on."""
    package = make_package(tmp_path / "site", "torchvision", init=BROKEN)
    result = run(
        """
        import mmdeepmot
        from mmengine.utils.dl_utils import collect_env
        assert "TorchVision" not in collect_env()
        for _ in range(2):
            try:
                import torchvision
            except ModuleNotFoundError as error:
                assert error.name == "torchvision"
            else:
                raise SystemExit("imported")
        """,
        tmp_path,
        package,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("operator torchvision::nms does not exist") == 1
    assert "uninstall" in result.stderr


def test_working_torchvision_is_left_as_it_is(tmp_path: Path) -> None:
    package = make_package(tmp_path / "site", "torchvision", init="value = 7")
    result = run(
        """
        import mmdeepmot
        import torchvision
        assert torchvision.value == 7
        assert type(torchvision.__loader__).__name__ == "SourceFileLoader"
        assert torchvision.__spec__.loader is torchvision.__loader__
        """,
        tmp_path,
        package,
    )
    assert result.returncode == 0, result.stderr


def test_spawned_workers(tmp_path: Path) -> None:
    """A spawned worker imports the dataset's class before anything else, mmdet with it."""
    (tmp_path / "user_data.py").write_text(
        textwrap.dedent(
            """
            import mmdeepmot
            import torch
            from mmcv.ops import nms
            from torch.utils.data import Dataset

            class Boxes(Dataset):
                def __len__(self):
                    return 2

                def __getitem__(self, index):
                    return nms(torch.ones(3, 4), torch.rand(3), 0.5)[1].shape[0]
            """
        )
    )
    result = run(
        """
        if __name__ == "__main__":
            from torch.utils.data import DataLoader
            from user_data import Boxes
            loader = DataLoader(Boxes(), num_workers=1, multiprocessing_context="spawn")
            print([int(number) for number in loader])
        """,
        tmp_path,
        tmp_path,
    )
    assert result.returncode == 0, result.stderr
    assert "[3, 3]" in result.stdout
    assert (result.stdout + result.stderr).count("plain PyTorch") == 0
