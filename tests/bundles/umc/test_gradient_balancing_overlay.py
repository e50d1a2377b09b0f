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


def test_frozen_parts_have_no_gradient_to_balance_until_they_learn(tmp_path: Path) -> None:
    overrides = {**TINY, "aggregator": {"_target_": "torchjd.aggregation.PCGrad"}, "frozen_parts": ["encoder"]}
    states = []
    for epochs, resume in ((1, False), (2, True), (3, True)):
        UMC.train(tmp_path, "gradient_balancing", **overrides, frozen_epochs=2, max_epochs=epochs, resume=resume)
        states.append(network(tmp_path))
    encoder = {name for name in states[0] if name.startswith("encoder.")}
    for before, after, still in ((states[0], states[1], encoder), (states[1], states[2], set())):
        assert {name for name in after if torch.equal(before[name], after[name])} == still


def test_has_the_properties_of_a_zoo_bundle(tmp_path: Path) -> None:
    files = UMC.configs("train", "gradient_balancing")
    workflow = ConfigWorkflow(files, workflow_type="train", output_dir=str(tmp_path), **UMC.files, **UMC.small)
    workflow.initialize()
    assert workflow.check_properties() == []
    assert type(workflow.trainer).__name__ == "GradientBalancingTrainer"
