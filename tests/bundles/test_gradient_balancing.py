"""Gradients are balanced by an overlay, and a resumed run equals an uninterrupted one."""

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigWorkflow

from .test_resume import assert_same, load
from .test_weighting import TINY
from .umc_bundle import UMC, configs, run_bundle

pytest.importorskip("torchjd")


# PCGrad draws random orders, GradVac does too and has a state.
@pytest.mark.parametrize("aggregator", ["PCGrad", "GradVac", "AlignedMTL"])
def test_trains_and_resumes_by_overlay(tmp_path: Path, aggregator: str) -> None:
    overrides = {**TINY, "aggregator": aggregator}
    run_bundle(tmp_path / "whole", "train", "gradient_balancing", **{**overrides, "trainer#max_epochs": 2})
    run_bundle(tmp_path / "parts", "train", "gradient_balancing", **{**overrides, "trainer#max_epochs": 1})
    run_bundle(tmp_path / "parts", "train", "gradient_balancing", **{**overrides, "trainer#max_epochs": 2}, resume=True)
    balanced = load(tmp_path / "whole")
    assert_same(load(tmp_path / "parts"), balanced)

    run_bundle(tmp_path / "plain", "train", **{**TINY, "trainer#max_epochs": 2})
    plain = load(tmp_path / "plain")["network"]
    assert any(not torch.equal(plain[name], balanced["network"][name]) for name in plain)


def test_has_the_properties_of_a_zoo_bundle(tmp_path: Path) -> None:
    workflow = ConfigWorkflow(
        configs("train", "gradient_balancing"), workflow_type="train", output_dir=str(tmp_path), **UMC.files
    )
    workflow.initialize()
    assert workflow.check_properties() == []
    assert type(workflow.trainer).__name__ == "GradientBalancingTrainer"
