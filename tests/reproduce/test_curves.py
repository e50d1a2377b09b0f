"""Curves over epochs come from TensorBoard's files of the runs; overlays carry an experiment to other data."""

import json
import math
from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from monai_mtunet.bundle import check_overrides
from monai_mtunet.reproduce import load_experiment
from monai_mtunet.reproduce.curves import draw_curves, read_curve
from monai_mtunet.reproduce.experiment import Experiment

from ..bundles.bundle_under_test import ROOT
from .small_experiment import small_experiment


def log(experiment: Experiment, row: int, seed: int, folder: Path, started: int = 1, **values: list[float]) -> None:
    """Write a run's curves; TensorBoard reads files in the order of the second (``started``) in their names."""
    folder = folder / experiment.name / experiment.runs[row].name.replace(" ", "_") / f"seed_{seed}" / "tensorboard"
    writer = SummaryWriter(str(folder))
    for tag, curve in values.items():
        for epoch, value in enumerate(curve, start=1):
            writer.add_scalar(tag, value, epoch)
    writer.close()
    # Files of one second would be ordered by a counter of the process, where 99 comes after 100.
    [written] = (path for path in folder.iterdir() if path.suffix != ".started")
    written.rename(folder / f"events.out.tfevents.{started:010}.started")


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    experiment = load_experiment(small_experiment(tmp_path, curves=["segment_miou", "loss_denoise"]))
    log(experiment, 0, 0, tmp_path, segment_miou=[0.25, 0.5], loss_denoise=[4, math.nan])
    log(experiment, 0, 1, tmp_path, segment_miou=[0.75])
    log(experiment, 1, 0, tmp_path, segment_miou=[0.5, 0.5])
    return experiment


def test_curves_hold_the_seeds_that_there_are(experiment: Experiment, tmp_path: Path) -> None:
    both, alone = experiment.runs
    assert read_curve(experiment, both, "segment_miou", tmp_path) == {1: [0.25, 0.75], 2: [0.5]}
    assert read_curve(experiment, both, "loss_denoise", tmp_path) == {1: [4.0]}  # NaN is left out
    assert read_curve(experiment, alone, "loss_denoise", tmp_path) == {}


def test_a_resumed_run_continues_its_curve(experiment: Experiment, tmp_path: Path) -> None:
    log(experiment, 1, 0, tmp_path, started=2, segment_miou=[0.5, 0.625, 0.75])
    curve = read_curve(experiment, experiment.runs[1], "segment_miou", tmp_path)
    assert curve == {1: [0.5], 2: [0.625], 3: [0.75]}


def test_an_axis_per_scalar_and_a_line_per_run_that_has_it(experiment: Experiment, tmp_path: Path) -> None:
    miou, loss = draw_curves(experiment, tmp_path).axes
    assert [line.get_label() for line in miou.lines] == ["both", "segment only"]
    assert miou.lines[0].get_xydata().tolist() == [[1, 0.5], [2, 0.5]]
    assert [line.get_label() for line in loss.lines] == ["both"]
    with pytest.raises(ValueError, match="names no curves"):
        draw_curves(load_experiment(small_experiment(tmp_path)), tmp_path)


def test_before_any_run_there_is_an_empty_figure(tmp_path: Path) -> None:
    experiment = load_experiment(small_experiment(tmp_path, curves=["segment_miou"]))
    assert not draw_curves(experiment, tmp_path).axes[0].lines


def test_overlays_stand_before_a_runs_own_and_win_over_common_overrides(tmp_path: Path) -> None:
    overlay = tmp_path / "data.json"
    overlay.write_text(json.dumps({"load": [], "max_epochs": 30, "+tasks": [], "dataset_dir": "here"}))
    path = small_experiment(
        tmp_path,
        overrides={"load#0#spatial_size": 48, "max_epochs": 8, "held_out": "test"},
        runs={"a": {"configs": ["a.json"], "overrides": {"max_epochs": 2}}, "b": {}},
    )
    first, second = load_experiment(path, [str(overlay)]).runs
    assert [Path(name).name for name in first.configs] == ["train.json", "data.json", "a.json"]
    assert first.overrides == {"held_out": "test", "max_epochs": 2}  # a run's own still win
    assert second.overrides == {"held_out": "test"}
    assert "max_epochs" in load_experiment(path).runs[1].overrides


def test_the_papers_table_runs_on_pets_by_one_overlay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    experiment = load_experiment("bundles/mtan/experiments/table1.json", ["bundles/mtan/pets.json"])
    assert all("load#0#spatial_size" not in run.overrides for run in experiment.runs)
    assert all(run.overrides["held_out_section"] == "test" for run in experiment.runs)
    for run in experiment.runs:
        check_overrides(["--config_file", str(list(run.configs)), *(f"--{name}=1" for name in run.overrides)])
