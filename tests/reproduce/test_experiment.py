"""Experiments run bundles, keep what is finished and average over seeds."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from monai_mtunet.bundle import check_overrides
from monai_mtunet.reproduce import carry_out, experiment, load_experiment, plot, results, table

from ..bundles.bundle_under_test import ROOT
from .small_experiment import PretendedBundle, small_experiment


def test_runs_what_is_not_finished_and_averages_over_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_experiment(small_experiment(tmp_path, seeds=[0], runs={"both": {}}))
    assert table(first, tmp_path).splitlines()[2] == "| both | - | - | 0 |"
    carry_out(first, tmp_path)
    file = tmp_path / "small" / "both" / "seed_0" / "evaluation" / "metrics.csv"
    written = file.stat().st_mtime_ns

    bundle = PretendedBundle()
    monkeypatch.setattr(experiment, "run_bundle", bundle)
    small = load_experiment(small_experiment(tmp_path))
    carry_out(small, tmp_path, jobs=2)
    assert file.stat().st_mtime_ns == written  # finished runs are left alone
    stages = ("train.log", "evaluate.log")
    assert sorted(bundle.started) == sorted((row, log) for row in ("both", *["segment_only"] * 2) for log in stages)
    measured = dict(line.split(",") for line in file.read_text().split())
    row = table(small, tmp_path).splitlines()[2]
    mean, deviation = map(float, re.search(r"\| ([\d.]+) ± ([\d.]+) \|", row).groups())
    assert mean == pytest.approx((float(measured["segment_miou"]) + 0.5) / 2, abs=1e-3)
    assert deviation == pytest.approx(abs(float(measured["segment_miou"]) - 0.5) / 2**0.5, abs=1e-3)
    assert row.endswith("| 2 |")


def finished(folder: Path, row: str, seed: int, **metrics: float) -> None:
    path = folder / "small" / row / f"seed_{seed}" / "evaluation" / "metrics.csv"
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"{name},{value}\n" for name, value in metrics.items()))


def test_the_papers_numbers_are_printed_beside_ours(tmp_path: Path) -> None:
    runs = {"both": {"paper": {"segment_miou": 0.7319}}, "segment only": {}}
    small = load_experiment(small_experiment(tmp_path, runs=runs))
    finished(tmp_path, "both", 0, segment_miou=0.5, denoise_psnr=21)
    assert table(small, tmp_path).splitlines() == [
        "| | segment_miou | denoise_psnr | segment_miou (paper) | seeds |",
        "| --- | --- | --- | --- | --- |",
        "| both | 0.500 | 21.00 | 0.7319 | 1 |",
        "| segment only | - | - | - | 0 |",
    ]


def test_the_plot_shows_networks_of_several_tasks_as_points_and_of_one_as_lines(tmp_path: Path) -> None:
    runs = {"both": {}, "segment only": {}, "denoise only": {}, "not run yet": {}}
    small = load_experiment(small_experiment(tmp_path, runs=runs, plot=["denoise_psnr", "segment_miou"]))
    for seed, miou in enumerate((0.4, 0.6)):
        finished(tmp_path, "both", seed, segment_miou=miou, denoise_psnr=21)
        finished(tmp_path, "segment_only", seed, segment_miou=miou + 0.1)
    finished(tmp_path, "denoise_only", 0, denoise_psnr=22)
    axis = plot(small, tmp_path).axes[0]
    (point,) = axis.containers
    assert point.lines[0].get_xydata().tolist() == [[21, 0.5]]
    lines = {line.get_label(): (line.get_xdata()[0], line.get_ydata()[0]) for line in axis.lines[-2:]}
    assert lines == {"segment only": (0, pytest.approx(0.6)), "denoise only": (22, 0)}
    with pytest.raises(ValueError, match="names no two metrics"):
        plot(load_experiment(small_experiment(tmp_path)), tmp_path)


@pytest.mark.slow
def test_without_an_evaluation_the_last_epoch_counts(tmp_path: Path) -> None:
    path = small_experiment(tmp_path, seeds=[0], runs={"both": {}})
    content = json.loads(path.read_text())
    del content["evaluate"]
    path.write_text(json.dumps(content))
    small = load_experiment(path)
    carry_out(small, tmp_path)
    folder = tmp_path / "small" / "both" / "seed_0"
    assert (folder / "evaluation" / "metrics.csv").read_text() == (folder / "validation" / "metrics.csv").read_text()
    assert table(small, tmp_path).splitlines()[2].endswith("| 1 |")
    (logged,) = re.findall(r"Epoch\[1\] Metrics -- .*segment_miou: ([\d.]+)", (folder / "train.log").read_text())
    (result,) = results(small, small.runs[0], tmp_path)
    assert result["segment_miou"] == pytest.approx(float(logged), abs=1e-4)


def test_a_run_that_fails_names_its_log(tmp_path: Path) -> None:
    small = load_experiment(small_experiment(tmp_path, seeds=[0], runs={"broken": {"overrides": {"only": "depth"}}}))
    with pytest.raises(RuntimeError, match=r"exit status 1; its output is in .*small/broken/seed_0/train\.log"):
        carry_out(small, tmp_path)
    assert "declared tasks" in (tmp_path / "small" / "broken" / "seed_0" / "train.log").read_text()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"runs": {"a": {"override": {}}}}, "may only be 'configs', 'overrides', 'paper' and 'pretrained'"),
        ({"seeds": None}, "lacks"),
        ({"plot": ["segment_miou"]}, "takes two of"),
        ({"plot": ["segment_miou", "segment_dice"]}, "takes two of"),
        ({"runs": {"a": {"paper": {"depth_abs": 1}}}}, "'paper' any of them"),
    ],
)
def test_mistakes_in_the_file_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = small_experiment(tmp_path, **changes)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))
    with pytest.raises(ValueError, match=message):
        load_experiment(path)


@pytest.mark.parametrize("path", sorted(ROOT.glob("bundles/*/experiments/*.json")), ids=lambda path: path.stem)
def test_experiments_name_files_and_items_that_exist(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for run in load_experiment(path).runs:
        check_overrides(["--config_file", str(list(run.configs)), *(f"--{name}=1" for name in run.overrides)])
