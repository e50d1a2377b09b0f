"""Each weighting method trains by overrides alone, and resumes bit for bit."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from .test_resume import assert_same, load
from .umc_bundle import SMALL, run_bundle

# Two batches per epoch of a still smaller problem, never validated: what is tested is the weighting.
TINY = {
    **SMALL,
    "train_data": "$monai_mtunet.data.synthetic_datalist(4, 'train')",
    "val_data": "$monai_mtunet.data.synthetic_datalist(1, 'val')",
    "features": [4, 8],
    "batch_size": 2,
    "val_interval": 100,
    "lr_scheduler": {"_target_": "torch.optim.lr_scheduler.ConstantLR", "optimizer": "@optimizer", "factor": 1.0},
}
WEIGHTING = "loss_def#weighting#"

METHODS: dict[str, dict[str, Any]] = {
    "FixedWeighting": {f"{WEIGHTING}normalize": "running"},
    "UncertaintyWeighting": {"weighting_learning_rate": 0.02},
    "SoftOptimalUncertaintyWeighting": {f"{WEIGHTING}temperature": 5.0},
    "DynamicWeightAverage": {},
    "SoftAdapt": {f"{WEIGHTING}variant": "loss_weighted", f"{WEIGHTING}window": 3},
    "RandomLossWeighting": {f"{WEIGHTING}seed": 1},
    "GeometricMeanWeighting": {"alpha": {"denoise": 0.5}},
    "VarianceRatioWeighting": {f"{WEIGHTING}learning_rate": 0.1, f"{WEIGHTING}history": 2},
}


@pytest.mark.parametrize("name", METHODS)
def test_trains_and_resumes_by_override(tmp_path: Path, name: str) -> None:
    overrides = {**TINY, f"{WEIGHTING}_target_": name, **METHODS[name]}
    run_bundle(tmp_path / "whole", "train", **{**overrides, "trainer#max_epochs": 3})
    run_bundle(tmp_path / "parts", "train", **{**overrides, "trainer#max_epochs": 2})
    before = load(tmp_path / "parts")["loss"]
    run_bundle(tmp_path / "parts", "train", **{**overrides, "trainer#max_epochs": 3}, resume=True)
    after = load(tmp_path / "whole")
    assert_same(load(tmp_path / "parts"), after)

    stateless = name in ("SoftOptimalUncertaintyWeighting", "GeometricMeanWeighting")
    assert stateless == (not after["loss"])
    assert stateless or any(not torch.equal(before[key], after["loss"][key]) for key in before)

    groups = after["optimizer"]["param_groups"]
    assert [group["lr"] for group in groups] == ([0.003, 0.02] if name == "UncertaintyWeighting" else [0.003])

    events = EventAccumulator(str(tmp_path / "whole" / "tensorboard"))
    events.Reload()
    for task in ("denoise", "segment"):
        for value in ("loss", "weight"):
            assert len(events.Scalars(f"iteration/{value}_{task}")) == 6
            assert len(events.Scalars(f"{value}_{task}")) == 3
