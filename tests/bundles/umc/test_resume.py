"""A resumed run equals an uninterrupted one, bit for bit on the CPU, however it ended."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from ..bundle_under_test import ROOT
from ..left_by_a_run import assert_same, checkpoint, network
from ..refusing import refusing
from .umc_bundle import UMC

EPOCHS = 3
NO_PANELS = {"validate#handlers#0#panel_interval": 1000}

# How it dies, and the iteration of the last whole checkpoint; an epoch has two. Every epoch writes last.pt, and best.pt
# before it when the epoch is the best so far; the first epoch always is.
DEATHS = {"saving 3": (2, 4), "saving 4": (2, 4), "step 4": (2,)}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    UMC.train(folder, max_epochs=EPOCHS)
    return folder


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {death: tmp_path_factory.mktemp("killed") for death in DEATHS}
    small = {**UMC.small, **NO_PANELS, "config_file": UMC.configs("train"), "max_epochs": EPOCHS}
    runs = [(death, {**small, "output_dir": str(folder)}) for death, folder in folders.items()]
    command = [sys.executable, str(Path(__file__).with_name("killed_runs.py")), json.dumps(runs)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert process.returncode == 0, process.stderr.decode()[-2000:]
    return folders


@pytest.mark.parametrize("death", DEATHS)
def test_a_killed_run_goes_on(killed: dict[str, Path], uninterrupted: Path, death: str) -> None:
    folder = killed[death]
    # Whole, although the process may have died while replacing it.
    assert checkpoint(folder)["trainer"]["iteration"] in DEATHS[death]
    UMC.train(folder, max_epochs=EPOCHS, resume=True)
    assert_same(checkpoint(folder), checkpoint(uninterrupted))
    assert_same(checkpoint(folder, "best"), checkpoint(uninterrupted, "best"))


@pytest.mark.parametrize("interrupted_after", [1, 2])
def test_a_run_with_a_frozen_encoder_goes_on(tmp_path: Path, uninterrupted: Path, interrupted_after: int) -> None:
    options: dict[str, Any] = {"frozen_parts": ["encoder"], "frozen_epochs": 2, "lr_scheduler#T_max": EPOCHS}
    options["pretrained"] = str(uninterrupted / "checkpoints" / "best.pt")
    UMC.train(tmp_path / "whole", **options, max_epochs=EPOCHS)
    UMC.train(tmp_path / "parts", **options, max_epochs=interrupted_after)
    UMC.train(tmp_path / "parts", **options, max_epochs=EPOCHS, resume=True)
    assert_same(checkpoint(tmp_path / "parts"), checkpoint(tmp_path / "whole"))


@pytest.mark.parametrize(
    "overlays",
    [pytest.param([], id="shuffled", marks=pytest.mark.slow), pytest.param(["few_labels"], id="weighted draws")],
)
def test_resumes_with_workers_and_more_epochs(tmp_path: Path, overlays: list[str]) -> None:
    # A learning rate that does not depend on the number of epochs.
    common = {"num_workers": 2, "lr_scheduler#T_max": 2}
    UMC.train(tmp_path / "whole", *overlays, **common, max_epochs=2)
    UMC.train(tmp_path / "parts", *overlays, **common, max_epochs=1)
    UMC.train(tmp_path / "parts", *overlays, **common, max_epochs=2, resume=True)
    assert_same(checkpoint(tmp_path / "parts"), checkpoint(tmp_path / "whole"))


def test_a_longer_training_anneals_to_its_new_end(tmp_path: Path) -> None:
    for max_epochs, resume in ((2, False), (3, True), (4, True)):
        UMC.train(tmp_path, max_epochs=max_epochs, resume=resume)
        state = checkpoint(tmp_path)
        assert state["lr_scheduler"]["T_max"] == max_epochs
        assert state["optimizer"]["param_groups"][0]["lr"] == pytest.approx(0, abs=1e-9)


def test_another_seed_gives_another_run(tmp_path: Path, uninterrupted: Path) -> None:
    UMC.train(tmp_path, max_epochs=EPOCHS, seed=1)
    ours, theirs = network(tmp_path), network(uninterrupted)
    assert any(not torch.equal(ours[name], theirs[name]) for name in ours)


def test_resuming_beyond_the_last_epoch_says_so(uninterrupted: Path) -> None:
    with refusing("finished epoch 3, beyond max_epochs = 2"):
        UMC.train(uninterrupted, max_epochs=2, resume=True)


def test_resuming_from_nothing_says_so(tmp_path: Path) -> None:
    with refusing("There is no checkpoint"):
        UMC.train(tmp_path, resume=True)
