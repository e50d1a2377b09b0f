"""An experiment of small runs, and a bundle that only pretends to run."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from ..bundles.umc.umc_bundle import UMC


def small_experiment(folder: Path, **changes: Any) -> Path:
    content = {
        "description": "synthetic scenes of 32 x 32",
        "configs": UMC.configs("train"),
        "overrides": dict(UMC.small),
        "evaluate": UMC.configs("evaluate")[0],
        "seeds": [0, 1],
        "metrics": ["segment_miou", "denoise_psnr"],
        "runs": {"both": {}, "segment only": {"configs": UMC.configs("unet")}},
    } | changes
    path = folder / "small.json"
    path.write_text(json.dumps(content))
    return path


class PretendedBundle:
    """In place of the command that trains or evaluates: leaves the files a run leaves, and keeps what was started."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str]] = []
        self.resumed: list[bool] = []

    def __call__(self, configs: Sequence[str], overrides: Mapping[str, Any], log: Path, interrupted: Event) -> None:
        self.started.append((log.parents[1].name, log.name))
        self.resumed.append(overrides.get("resume", False))
        stage = "validation" if log.name == "train.log" else "evaluation"
        for path in (log.parent / "checkpoints" / "last.pt", log.parent / stage / "metrics.csv"):
            path.parent.mkdir(exist_ok=True)
            path.write_text("segment_miou,0.5\ndenoise_psnr,21.0\n")
