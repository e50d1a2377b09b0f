"""Each weighting method trains by overrides alone, and resumes bit for bit."""

from pathlib import Path
from typing import Any

import pytest
import torch

from ..left_by_a_run import assert_same, checkpoint, logged
from .tiny_problem import TINY
from .umc_bundle import UMC

WEIGHTING = "loss_def#weighting#"

METHODS: dict[str, dict[str, Any]] = {
    "FixedWeighting": {f"{WEIGHTING}normalize": "running"},
    "UncertaintyWeighting": {"weighting_learning_rate": 0.02},
    "SoftOptimalUncertaintyWeighting": {f"{WEIGHTING}temperature": 5.0},
    "DynamicWeightAverage": {},
    "SoftAdapt": {f"{WEIGHTING}variant": "loss_weighted", f"{WEIGHTING}window": 3},
    "RandomLossWeighting": {f"{WEIGHTING}seed": 1},
    "GeometricMeanWeighting": {"weights": {"denoise": 0.5}},
    "VarianceRatioWeighting": {f"{WEIGHTING}learning_rate": 0.1, f"{WEIGHTING}history": 2},
}


# Of those whose state is a list of losses or nothing, one by default.
SLOW = ("FixedWeighting", "SoftOptimalUncertaintyWeighting", "DynamicWeightAverage", "RandomLossWeighting")


@pytest.mark.parametrize("name", [pytest.param(m, marks=[pytest.mark.slow] * (m in SLOW)) for m in METHODS])
def test_trains_and_resumes_by_override(tmp_path: Path, name: str) -> None:
    overrides = {**TINY, f"{WEIGHTING}_target_": name, **METHODS[name]}
    UMC.train(tmp_path / "whole", **overrides, max_epochs=3)
    UMC.train(tmp_path / "parts", **overrides, max_epochs=2)
    before = checkpoint(tmp_path / "parts")["loss"]
    UMC.train(tmp_path / "parts", **overrides, max_epochs=3, resume=True)
    after = checkpoint(tmp_path / "whole")
    assert_same(checkpoint(tmp_path / "parts"), after)

    stateless = name in ("SoftOptimalUncertaintyWeighting", "GeometricMeanWeighting")
    assert stateless == (not after["loss"])
    assert stateless or any(not torch.equal(before[key], after["loss"][key]) for key in before)

    groups = after["optimizer"]["param_groups"]
    assert [group["lr"] for group in groups] == ([0.003, 0.02] if name == "UncertaintyWeighting" else [0.003])

    events = logged(tmp_path / "whole")
    for task in ("denoise", "segment"):
        for value in ("loss", "weight"):
            assert len(events.Scalars(f"iteration/{value}_{task}")) == 6
            assert len(events.Scalars(f"{value}_{task}")) == 3
