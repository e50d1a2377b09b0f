"""Gradients are balanced by an overlay, and a resumed run equals an uninterrupted one."""

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigWorkflow

from ..left_by_a_run import assert_same, checkpoint, network
from .tiny_problem import TINY
from .umc_bundle import UMC

pytest.importorskip("torchjd")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    UMC.train(folder, **TINY, max_epochs=2)
    return folder


# PCGrad draws random orders, GradVac does too and has a state.
@pytest.mark.parametrize(
    "aggregator", ["GradVac", *(pytest.param(a, marks=pytest.mark.slow) for a in ("PCGrad", "AlignedMTL"))]
)
def test_trains_and_resumes_by_overlay(tmp_path: Path, plain: Path, aggregator: str) -> None:
    overrides = {**TINY, "aggregator": {"_target_": f"torchjd.aggregation.{aggregator}"}}
    UMC.train(tmp_path / "whole", "gradient_balancing", **overrides, max_epochs=2)
    UMC.train(tmp_path / "parts", "gradient_balancing", **overrides, max_epochs=1)
    UMC.train(tmp_path / "parts", "gradient_balancing", **overrides, max_epochs=2, resume=True)
    assert_same(checkpoint(tmp_path / "parts"), checkpoint(tmp_path / "whole"))
    unbalanced, balanced = network(plain), network(tmp_path / "whole")
    assert any(not torch.equal(unbalanced[name], balanced[name]) for name in unbalanced)


def test_has_the_properties_of_a_zoo_bundle(tmp_path: Path) -> None:
    files = UMC.configs("train", "gradient_balancing")
    workflow = ConfigWorkflow(files, workflow_type="train", output_dir=str(tmp_path), **UMC.files, **UMC.small)
    workflow.initialize()
    assert workflow.check_properties() == []
    assert type(workflow.trainer).__name__ == "GradientBalancingTrainer"
