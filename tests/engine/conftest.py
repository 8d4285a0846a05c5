"""Makes the toy project and its fixtures available here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
sys.path.insert(0, str(Path(__file__).parents[1] / "models"))  # jde_small.py

from toy_fixtures import _server, run_train, toy_config

__all__ = ["_server", "run_train", "toy_config"]
