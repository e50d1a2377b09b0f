"""A plan's folds are the bundle's own runs, resumed where they were, and measured together."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from monai_mtunet.commands.app import main
from monai_mtunet.cross_validation import PlannedFolds, fold_results, train_folds

from ..bundles.bundle_under_test import ROOT


class PretendedBundle:
    """Notes the runs, and writes what they would."""

    def __init__(self) -> None:
        self.runs: list[tuple[int, str, dict[str, Any]]] = []
        self.fails = -1

    def __call__(self, configs: Sequence[str], overrides: Mapping[str, Any]) -> None:
        fold = overrides["fold"]
        kind = "evaluate" if configs[-1].endswith("evaluate.json") else "train"
        self.runs.append((fold, kind, dict(overrides)))
        folder = Path(f"outputs/mine_fold{fold}")
        if kind == "train":
            (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
            (folder / "checkpoints" / "last.pt").touch()
            if fold == self.fails:
                raise RuntimeError("A run ended with exit status 1.")
            (folder / "checkpoints" / "best.pt").touch()
            return
        (folder / "evaluation").mkdir(exist_ok=True)
        (folder / "evaluation" / "metrics.csv").write_text(f"segment_miou,0.{5 + fold}\ndenoise_psnr,nan\n")
        rows = "".join(f"{name}{fold},0.{score}{fold},20\n" for name, score in (("a", 3), ("b", 8)))
        (folder / "evaluation" / "cases.csv").write_text("image,segment_miou,denoise_psnr\n" + rows)


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> PretendedBundle:
    monkeypatch.chdir(tmp_path)
    pretended = PretendedBundle()
    monkeypatch.setattr("monai_mtunet.cross_validation.fold_training.run_bundle", pretended)
    return pretended


@pytest.fixture
def overlay(tmp_path: Path, bundle: PretendedBundle) -> Path:
    cases = [{"image": f"{n}.png", "fold": n % 3 if n < 6 else None} for n in range(8)]
    (tmp_path / "mine.cases.json").write_text(json.dumps(cases))
    items = {"bundle_root": str(ROOT / "bundles" / "umc"), "run_name": "$'mine_fold' + str(@fold)", "fold": 0,
             "data_list": str(tmp_path / "mine.cases.json")}  # fmt: skip
    (tmp_path / "mine.json").write_text(json.dumps(items))
    return Path("mine.json")


def test_every_fold_is_trained_then_evaluated_into_its_own_folder(overlay: Path, bundle: PretendedBundle) -> None:
    planned = PlannedFolds(overlay)
    assert planned.folds == [0, 1, 2]
    assert planned.output_dir(2) == Path("outputs/mine_fold2")
    train_folds(planned, overrides={"max_epochs": "1"})
    assert [(fold, kind) for fold, kind, _ in bundle.runs] == [(f, k) for f in range(3) for k in ("train", "evaluate")]
    assert all(overrides["max_epochs"] == "1" for *_, overrides in bundle.runs)
    assert [overrides["resume"] for _, kind, overrides in bundle.runs if kind == "train"] == [False] * 3


def test_what_is_finished_stays_and_what_was_interrupted_goes_on(overlay: Path, bundle: PretendedBundle) -> None:
    planned, bundle.fails = PlannedFolds(overlay), 1
    with pytest.raises(RuntimeError, match="exit status 1"):
        train_folds(planned)
    bundle.runs, bundle.fails = [], -1
    train_folds(planned)
    assert [(f, kind, o.get("resume")) for f, kind, o in bundle.runs] == [
        (1, "train", True), (1, "evaluate", None), (2, "train", False), (2, "evaluate", None),
    ]  # fmt: skip


def test_another_configuration_is_not_continued(overlay: Path, bundle: PretendedBundle) -> None:
    train_folds(PlannedFolds(overlay), [0])
    with pytest.raises(RuntimeError, match="'max_epochs' was not there and is '3'"):
        train_folds(PlannedFolds(overlay), [0], {"max_epochs": "3"})
    with pytest.raises(ValueError, match=r"has the folds \[0, 1, 2\], and no \[7\]"):
        train_folds(PlannedFolds(overlay), [7])


def test_all_folds_together_measure_every_image_once(overlay: Path, bundle: PretendedBundle) -> None:
    planned = PlannedFolds(overlay)
    train_folds(planned, [0, 2])
    results = fold_results(planned)
    assert results.metrics["segment_miou"] == {0: 0.5, 2: 0.7}
    assert [case["image"] for case in results.cases] == ["a0", "a2", "b0", "b2"]  # the worst first
    assert "2 of 3 folds, 4 images" in results.text()
    assert "0.6 ± 0.14" in results.text()


def test_the_command_trains_what_it_is_told_and_writes_tables(
    overlay: Path, bundle: PretendedBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", str(overlay), "--folds", "all", "--override", "max_epochs=2"])
    assert ended.value.code == 0
    assert len(bundle.runs) == 6
    assert "3 of 3 folds" in capsys.readouterr().out
    with (overlay.parent / "mine.results" / "metrics.csv").open() as file:
        header, miou, psnr = csv.reader(file)
    assert header == ["metric", "mean", "standard deviation", "fold 0", "fold 1", "fold 2"]
    assert miou[0] == "segment_miou"
    assert psnr[1] == "nan"


def test_checkpoints_of_all_folds_are_averaged_in_prediction(overlay: Path, bundle: PretendedBundle) -> None:
    planned = PlannedFolds(overlay)
    with pytest.raises(FileNotFoundError, match=r"No fold of mine\.json was trained"):
        planned.checkpoints()
    train_folds(planned, [0, 1])
    assert planned.checkpoints() == [Path(f"outputs/mine_fold{fold}/checkpoints/best.pt") for fold in (0, 1)]


@pytest.mark.parametrize(
    ("items", "message"),
    [({"fold": 0}, "has no 'bundle_root'"), ({"bundle_root": "nowhere", "data_list": "l", "fold": 0}, "is no bundle")],
)
def test_what_is_no_plan_is_told(items: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(items))
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        PlannedFolds(tmp_path / "mine.json")
