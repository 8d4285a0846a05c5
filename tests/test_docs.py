"""README and docs: commands fit the tools and the files and run, Python runs, links lead somewhere.

The arguments of all commands are given to the parsers of the tools, their paths looked up, and
options of configs checked against the configs. Then they run on a tiny project, except those that
:data:`page_project.PARSED_ONLY` gives a reason for.
"""

import argparse
import re
import runpy
import shlex
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import config_steps
import cv2
import pytest
import tiny
import torch
from mmengine.registry import Registry
from page_configs import in_small, write_small
from page_project import PARSED_ONLY, furnish, on_tiny, why_parsed_only
from pages import Block, arguments, blocks, commands

import mmdeepmot.registry as registries
from mmdeepmot.datasets import MOTChallengeDataset
from mmdeepmot.engine.config import OptionAction, load_config
from mmdeepmot.engine.parts import find_parts

PAGES = [tiny.ROOT / "README.md", *sorted((tiny.ROOT / "docs").glob("*.md"))]
BLOCKS = [block for page in PAGES for block in blocks(page)]
SHELL = [block for block in BLOCKS if block.language == "bash"]
PYTHON = [block for block in BLOCKS if block.language == "python"]
PLAIN = [block for block in BLOCKS if block.language == ""]

RUN_ELSEWHERE = {
    "README.md": {"my_parts.py", "my_config.py"},  # test_readme.py
    "deepmot.md": {"my_tracker.py", "my_config.py"},  # tools/test_own_follower.py
}
SCRIPTS = {"dist_train": (1, 1), "dist_test": (2, 1), "slurm_train": (0, 2), "slurm_test": (0, 2)}
"""How many arguments of a script go on to its tool before others that it keeps, and these."""

STAND_INS = {
    '"jde_r18_synthmot"': '"tiny.py"',
    '"work_dirs/demo/epoch_5.pth"': '"weights.pth"',
    '"street.mp4"': '"street/A"',
}
"""What the tiny project has instead of what the pages name."""


def where(block: Block) -> str:
    return f"{block.page.name}:{block.line}"


# ------------------------------------------------------------------------------------- commands


class _ParsedError(Exception):
    pass


def parse(tool: ModuleType, words: list[str], monkeypatch) -> argparse.Namespace | None:
    """A tool's arguments, as its own function or its first parser gives them."""
    if hasattr(tool, "parse_args"):
        return tool.parse_args(words)
    real = argparse.ArgumentParser.parse_args

    def parse_and_stop(self, args=None, namespace=None):
        real(self, args, namespace)
        raise _ParsedError

    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)
        patch.setattr(sys, "argv", ["tool", *words])
        with pytest.raises(_ParsedError):
            tool.main()
    return None


def check_tool(path: str, words: list[str], monkeypatch) -> None:
    tool = tiny.load_tool(path.removeprefix("tools/").removesuffix(".py"))
    try:
        args = parse(tool, arguments(words), monkeypatch)
    except SystemExit as ended:
        assert ended.code == 0, f"{path} {' '.join(words)}"  # --help
        return
    config, options = getattr(args, "config", None), getattr(args, "cfg_options", None)
    if options and isinstance(config, str) and config.startswith("configs/"):
        if isinstance(options, list):
            options = OptionAction.parse(options)
        if options != {"k": "v"}:
            load_config(tiny.ROOT / config, options)


def check_script(name: str, words: list[str], monkeypatch) -> None:
    assert (tiny.ROOT / f"tools/{name}.sh").is_file()
    first, own = SCRIPTS[name]
    words = words[:first] + words[first + own :]
    check_tool(f"tools/{name.split('_')[1]}.py", words, monkeypatch)


def check_paths(words: list[str]) -> None:
    for word in words:
        for path in word.split("="):  # of --tested CONFIG=TRAINED
            if path.startswith(("configs/", "tools/", "requirements/", "docs/")):
                assert list(tiny.ROOT.glob(path)), f"{path} does not exist"


@pytest.mark.parametrize("block", SHELL, ids=where)
def test_commands(block, monkeypatch, capsys):
    monkeypatch.chdir(tiny.ROOT)
    found = commands(block.text)
    assert found
    for program, *words in found:
        check_paths([program, *words])
        if program in ("python", "python3") and words[0] != "-m":
            check_tool(words[0], words[1:], monkeypatch)
        elif program.startswith("tools/"):
            check_script(Path(program).stem, words, monkeypatch)
        elif program == "make":
            assert f"\n{words[0]}:" in (tiny.ROOT / "Makefile").read_text()
        else:
            known = ("pip", "python3", "python", ".", "git", "cd")
            assert program in known, f"unknown program {program}: teach it to this test"


def to_run(block: Block) -> list[list[str]]:
    return [one for one in commands(block.text) if why_parsed_only(shlex.join(one)) is None]


def test_every_command_runs_or_has_a_reason_not_to():
    every = [shlex.join(one) for block in SHELL for one in commands(block.text)]
    for why, which in PARSED_ONLY.items():
        assert any(re.fullmatch(which, one) for one in every), f"no command any more: {why}"
    run = {Path(one[1]).stem for block in SHELL for one in to_run(block)}
    assert {"train", "test", "demo", "browse_dataset", "track_dets", "search_tracker"} <= run


@pytest.mark.parametrize("block", [one for one in SHELL if to_run(one)], ids=where)
def test_commands_run(block, registered, tiny_project, monkeypatch, capfd):
    monkeypatch.syspath_prepend(tiny_project)
    monkeypatch.setenv("MMDEEPMOT_CACHE", str(tiny_project / "cache"))
    for other in blocks(block.page):
        if other.file:
            (tiny_project / other.file).write_text(other.text)
    furnish(tiny_project, commands(block.text))
    write_small(tiny_project, to_run(block), monkeypatch.setattr)
    for _, tool, *words in dict.fromkeys(tuple(on_tiny(in_small(one))) for one in to_run(block)):
        module = tiny.load_tool(tool.removeprefix("tools/").removesuffix(".py"))
        status = tiny.call(module, shlex.join(words))
        assert status == 0, f"{tool} {shlex.join(words)}\n{capfd.readouterr().err}"
        written = {"--out", "--txt", "--plot", "--show-dir", "--work-dir"}
        for option, value in pairwise(words):
            assert option not in written or Path(value).exists(), f"{tool}: {option} {value}"


# --------------------------------------------------------------------------------------- Python


@pytest.fixture
def registered() -> Iterator[None]:
    """What a test registers ends with it, and so do the modules that it imports."""
    kept = {
        name: dict(registry.module_dict)
        for name, registry in vars(registries).items()
        if isinstance(registry, Registry)
    }
    modules = set(sys.modules)
    yield
    for name, entries in kept.items():
        known = getattr(registries, name).module_dict
        for one in set(known) - set(entries):
            if known[one].__module__.startswith(("my_", "__main__", "builtins")):
                del known[one]
    for name in set(sys.modules) - modules:
        if name.startswith("my_"):
            del sys.modules[name]


def run_config(text: str, folder: Path, name: str) -> None:
    """Load a config of a page, whose keys must have an effect, and build its parts."""
    file = folder / name
    file.write_text(text.replace('"configs/', f'"{tiny.ROOT}/configs/'))
    cfg = load_config(file)
    if "jde.onnx" in text:
        export()
    model = config_steps.build_model(cfg)
    for key in ("activation_checkpointing", "compile"):
        named = cfg.get(key)
        if named:
            parts = find_parts(model, named["modules"] if key == "compile" else named, key)
            assert parts
    for units in cfg.get("model_wrapper_cfg", {}).get("units", ()):
        assert find_parts(model, units, "units")


def run_plain(text: str, folder: Path, context: dict | None = None) -> None:
    file = folder / "page.py"
    file.write_text(text)
    runpy.run_path(str(file), context)


def run_on_tiny(text: str, folder: Path, *packages: str) -> None:
    """With the tiny project in the working folder, and ``frames`` of a video of it."""
    for package in packages:
        pytest.importorskip(package)
    for theirs, ours in STAND_INS.items():
        text = text.replace(theirs, ours)
    images = sorted(Path("street/A/img1").glob("*.png"))
    run_plain(text, folder, {"frames": [cv2.imread(str(image)) for image in images]})


def export() -> None:
    """Writes the tiny JDE as ``jde.onnx``."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    tool = tiny.load_tool("export_onnx")
    assert tiny.call(tool, "tiny.py weights.pth --out jde.onnx --no-check") == 0


def run_exported(text: str, folder: Path) -> None:
    """As :func:`run_on_tiny`, with the tiny JDE exported as ``jde.onnx``."""
    export()
    run_on_tiny(text, folder)


def run_loss(text: str, folder: Path) -> None:
    """With boxes of three tracks and two objects in two frames."""
    boxes = torch.tensor([[10.0, 10, 30, 70], [50, 20, 70, 80], [90, 5, 110, 60]]).repeat(2, 1, 1)
    context = {
        "track_boxes": boxes.clone().requires_grad_(),
        "object_boxes": boxes[:, :2] + 3,
        "row_ids": torch.tensor([[1, 2, 3]] * 2),
        "col_ids": torch.tensor([[1, 2]] * 2),
        "width": 160,
        "height": 120,
    }
    run_plain(text, folder, context)
    assert context["track_boxes"].grad.any()


@pytest.mark.parametrize("block", PYTHON, ids=where)
def test_python(block, registered, tiny_project, monkeypatch):
    if block.file in RUN_ELSEWHERE.get(block.page.name, ()):
        return
    monkeypatch.syspath_prepend(tiny_project)
    for other in blocks(block.page):  # the page's other files
        if other.file and other.file != block.file and "_base_" not in other.text:
            (tiny_project / other.file).write_text(other.text)
    kind, *words = block.how or ("file" if block.file else "plain",)
    if kind == "config":
        bases = "".join(f'"{word}", ' for word in words)
        run_config(f"_base_ = [{bases}]\n{block.text}", tiny_project, "page.py")
    elif kind == "file" and re.search(r"^_base_ = ", block.text, re.MULTILINE):
        run_config(block.text, tiny_project, str(block.file))
    elif kind == "file":
        (tiny_project / str(block.file)).write_text(block.text)
        __import__(str(block.file).removesuffix(".py"))
    elif kind == "plain":
        monkeypatch.chdir(tiny.ROOT)
        run_plain(block.text, tiny_project)
    else:
        run = {"tiny": run_on_tiny, "exported": run_exported, "loss": run_loss}[kind]
        run(block.text, tiny_project, *words)


# ------------------------------------------------------------------------------------- drawings


def test_blocks_are_shell_python_or_drawings():
    """What runs is not hidden in a block that no test runs."""
    assert {block.language for block in BLOCKS} == {"bash", "python", ""}
    for block in PLAIN:
        found = re.search(
            r"^\s*(\$|python3?|pip|make|tools/\S+|import|cd) ", block.text, re.MULTILINE
        )
        assert found is None, f"{where(block)}: {found and found[0]}"


def test_the_layout_of_a_folder_is_what_is_read(tiny_project):
    layout, *_ = (block for block in PLAIN if block.page.name == "datasets.md")
    tiny.write_detections(Path("street"))
    assert MOTChallengeDataset("street", with_detections="det/det.txt").count_boxes()["boxes"] == 36
    for line in layout.text.splitlines():
        path = line.split()[0].replace("DIR/SEQUENCE", "street/A").replace(".jpg", ".png")
        assert Path(path).is_file()


# ---------------------------------------------------------------------------------- paths, links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_and_links(page):
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"(?<![\w/])((?:configs|tools|tests|mmdeepmot)/[\w/*.\-]*\w)", text):
        if re.search(r"/[A-Z]+\b", path):
            continue  # a placeholder: configs/METHOD
        places = (path, f"{path}.py", f"{path.split('.')[0]}/*", f"{path.rpartition('.')[0]}.py")
        assert any(list(tiny.ROOT.glob(one)) for one in places), f"{page.name}: {path}"
    for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
        assert (page.parent / link).exists(), f"{page.name}: link to {link}"


def test_every_tool_is_named_on_a_page():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    scripts = [
        path
        for path in sorted((tiny.ROOT / "tools").rglob("*.*"))
        if path.suffix == ".sh"
        or (path.suffix == ".py" and '__name__ == "__main__"' in path.read_text(encoding="utf-8"))
    ]
    assert len(scripts) > 30
    names = {f"{path.parent.name}/{path.name}" for path in scripts}
    unnamed = sorted(name for name in names if name not in text)
    assert not unnamed, "name these in README.md or docs/"


def test_the_index_has_every_page():
    text = (tiny.ROOT / "docs/README.md").read_text()
    for page in PAGES[1:]:
        assert page.name == "README.md" or f"]({page.name})" in text
