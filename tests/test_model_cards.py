"""Model cards (metafile.yml beside the configs): complete, and no figure that is not measured."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml

from mmdeepmot.engine.config import load_config

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "configs"
CARDS = sorted(CONFIGS.glob("*/metafile.yml"))
PAGES = [ROOT / page for page in ("README.md", "docs/benchmarks.md", "docs/separate_detection.md")]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def name(path: Path) -> str:
    return path.parent.name


@cache
def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@cache
def measured() -> list[set[float]]:
    """The numbers of each line of the pages of results."""
    lines = (line for page in PAGES for line in page.read_text(encoding="utf-8").splitlines())
    return [{float(text) for text in NUMBER.findall(line)} for line in lines if "|" in line]


def test_every_config_is_named_once():
    configs = {
        path.relative_to(ROOT).as_posix()
        for path in CONFIGS.rglob("*.py")
        if not path.relative_to(CONFIGS).parts[0].startswith("_")
    }
    named = Counter(model["Config"] for card in CARDS for model in read(card)["Models"])
    missing = sorted(configs - set(named))
    assert not missing, f"name them under Models in configs/FOLDER/metafile.yml: {missing}"
    assert [path for path, count in named.items() if count > 1 or path not in configs] == []


def test_no_two_configs_have_one_name():
    """The default work dir is called as the config: two of one name would mix their checkpoints."""
    files = [path for path in CONFIGS.rglob("*.py") if "_base_" not in path.parts]
    count = Counter(path.stem for path in files)
    assert [path for path in files if count[path.stem] > 1] == []


@pytest.mark.parametrize("path", CARDS, ids=name)
def test_a_card(path):
    card = read(path)
    assert card.keys() == {"Collections", "Models"}
    collections = {one["Name"] for one in card["Collections"]}
    for one in card["Collections"]:
        assert one["Metadata"]["Architecture"] and one["Paper"]["Title"]
        assert one["Paper"]["URL"].startswith("https://")
    for model in card["Models"]:
        assert model["In Collection"] in collections, model["Name"]
        assert model["Config"].startswith(f"configs/{path.parent.name}/"), model["Name"]
        assert Path(model["Config"]).stem == model["Name"]
        for result in model.get("Results", ()):
            assert result["Task"] and result["Dataset"] and result["Metrics"]


@pytest.mark.parametrize("path", CARDS, ids=name)
def test_figures_stand_in_one_line_of_the_pages(path):
    for model in read(path)["Models"]:
        for result in model.get("Results", ()):
            figures = {float(value) for value in result["Metrics"].values()}
            assert any(figures <= numbers for numbers in measured()), (model["Name"], result)


def test_some_results_are_there():
    found = sum(len(model.get("Results", ())) for card in CARDS for model in read(card)["Models"])
    assert found >= 20


@pytest.mark.parametrize("path", CARDS, ids=name)
def test_epochs_are_those_of_the_config(path):
    trained = [model for model in read(path)["Models"] if "Epochs" in model.get("Metadata", {})]
    for model in trained[:: max(1, len(trained) // 3)]:
        cfg = load_config(ROOT / model["Config"], check=False)
        assert cfg.train_cfg.max_epochs == model["Metadata"]["Epochs"], model["Name"]
