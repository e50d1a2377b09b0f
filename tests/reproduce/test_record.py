"""Results of one configuration never count as another's."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from monai_mtunet.reproduce import carry_out, experiment, load_experiment

from ..bundles.umc.umc_bundle import UMC
from .small_experiment import PretendedBundle, small_experiment


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch) -> PretendedBundle:
    pretended = PretendedBundle()
    monkeypatch.setattr(experiment, "run_bundle", pretended)
    return pretended


def copied_configs(folder: Path) -> dict[str, Any]:
    train = shutil.copy(UMC.configs("train")[0], folder)
    return {"configs": [train], "evaluate": shutil.copy(UMC.configs("evaluate")[0], folder), "seeds": [0]}


def test_a_run_is_recorded_before_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("exit status 1")

    monkeypatch.setattr(experiment, "run_bundle", fails)
    files = copied_configs(tmp_path)
    path = small_experiment(tmp_path, **files, overrides={"max_epochs": 1}, runs={"both": {}})
    with pytest.raises(RuntimeError, match="exit status 1"):
        carry_out(load_experiment(path), tmp_path)
    train, evaluate = (
        f"{file} (SHA-256 {hashlib.sha256(Path(file).read_bytes()).hexdigest()})"
        for file in (files["configs"][0], files["evaluate"])
    )
    assert json.loads((tmp_path / "small" / "both" / "seed_0" / "run.json").read_text()) == {
        "configs": [train],
        "overrides": {"max_epochs": 1},
        "seed": 0,
        "evaluate": evaluate,
    }


@pytest.mark.parametrize("unfinished", [False, True])
@pytest.mark.parametrize(
    ("changes", "file", "message"),
    [
        ({"overrides": {"only": "denoise"}}, None, "override 'only' was 'segment' and is 'denoise'"),
        ({"overrides": {}}, None, "override 'only' was 'segment' and is not there"),
        ({"evaluate": None}, None, r"the evaluation was .*evaluate\.json .* and is None"),
        ({}, "train.json", r"configuration file 1 was .*train\.json \(SHA-256"),
        ({}, "evaluate.json", r"the evaluation was .*evaluate\.json \(SHA-256"),
    ],
)
def test_a_changed_run_is_refused_after_the_others(
    changes: dict[str, Any], file: str | None, message: str, unfinished: bool, tmp_path: Path, bundle: PretendedBundle
) -> None:
    settings = copied_configs(tmp_path) | {"overrides": {"only": "segment"}}
    carry_out(load_experiment(small_experiment(tmp_path, **settings, runs={"both": {}})), tmp_path)
    results = tmp_path / "small" / "both" / "seed_0" / "evaluation" / "metrics.csv"
    if unfinished:
        results.unlink()
    if file:
        (tmp_path / file).write_text((tmp_path / file).read_text() + "\n")
    bundle.started.clear()
    changed = load_experiment(small_experiment(tmp_path, **settings | changes, runs={"both": {}, "new": {}}))
    with pytest.raises(RuntimeError, match=message) as error:
        carry_out(changed, tmp_path)
    assert str(results.parents[1]) in str(error.value)
    assert "Delete the folder, or take another --output_dir" in str(error.value)
    assert {row for row, _ in bundle.started} == {"new"}


def test_the_same_configuration_files_in_another_order_are_another_run(tmp_path: Path, bundle: PretendedBundle) -> None:
    both = [*UMC.configs("train"), *UMC.configs("unet")]
    carry_out(load_experiment(small_experiment(tmp_path, configs=both, runs={"both": {}})), tmp_path)
    changed = load_experiment(small_experiment(tmp_path, configs=both[::-1], runs={"both": {}}))
    with pytest.raises(RuntimeError, match=r"configuration file 1 was .*; configuration file 2 was"):
        carry_out(changed, tmp_path)


@pytest.mark.parametrize("kept", ["evaluation/metrics.csv", "checkpoints/last.pt"])
def test_results_without_a_record_are_refused(kept: str, tmp_path: Path, bundle: PretendedBundle) -> None:
    folders = [tmp_path / "small" / "both" / f"seed_{seed}" for seed in (0, 1)]
    for folder in folders:
        (folder / kept).parent.mkdir(parents=True)
        (folder / kept).touch()
    with pytest.raises(RuntimeError, match=r"no run\.json.* Delete the folder") as error:
        carry_out(load_experiment(small_experiment(tmp_path)), tmp_path)
    assert all(str(folder) in str(error.value) for folder in folders)  # all of them at once
    assert {row for row, _ in bundle.started} == {"segment_only"}


def test_what_failed_before_its_first_checkpoint_may_be_corrected(tmp_path: Path, bundle: PretendedBundle) -> None:
    folder = tmp_path / "small" / "both" / "seed_0"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text('{"configs": [], "overrides": {"only": "depth"}, "seed": 0, "evaluate": null}')
    carry_out(load_experiment(small_experiment(tmp_path, seeds=[0], runs={"both": {}})), tmp_path)
    assert "only" not in json.loads((folder / "run.json").read_text())["overrides"]
    assert bundle.resumed[0] is False


def test_a_half_written_copy_of_the_last_epochs_metrics_does_not_count(
    tmp_path: Path, bundle: PretendedBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks_off(source: Path, target: Path) -> None:
        target.write_text(source.read_text()[:5])
        raise OSError("No space left on device")

    small = load_experiment(small_experiment(tmp_path, evaluate=None, seeds=[0], runs={"both": {}}))
    with monkeypatch.context() as context:
        context.setattr(shutil, "copyfile", breaks_off)
        with pytest.raises(RuntimeError, match="No space left"):
            carry_out(small, tmp_path)
    assert experiment.results(small, small.runs[0], tmp_path) == []
    carry_out(small, tmp_path)
    assert experiment.results(small, small.runs[0], tmp_path) == [{"segment_miou": 0.5, "denoise_psnr": 21.0}]
