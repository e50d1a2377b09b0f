"""From files of every kind to an overlay that trains and predicts as it is."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser

from monai_mtunet.commands.app import main
from monai_mtunet.planning.plan_folder import PlannedFolder, plan_folder
from monai_mtunet.planning.planned_bundle import PlannedBundle

from ..bundles.bundle_under_test import ROOT
from .data_sets import DATA_SETS, VOLUME, decathlon, intensities, masks, street, write_volume

BUNDLES = {"table": "mtan"}
TASKS = {
    "nnunet_raw": {"segment": "SegmentationTask"},
    "decathlon": {"segment": "SegmentationTask"},
    "computed_tomography": {"labels": "SegmentationTask"},
    "table": {"mask": "SegmentationTask", "species": "ClassificationTask"},
    "street": {"labels": "SegmentationTask", "depth": "DepthTask"},
    "noisy_and_clean": {"clean": "RestorationTask"},
    "noisy_alone": {"denoise": "RestorationTask"},
    "cells": {"segment": "SegmentationTask", "distance": "DistanceTask", "instances": "InstanceTask"},
    "masks": {"masks": "SegmentationTask", "height": "QuantityTask"},
}


def plan(data: Path, folder: Path, bundle: str = "umc", **options: object) -> PlannedFolder:
    usual = {"memory": 2e9, "hours": 0.001, "folds": 3, "workers": 1}
    return plan_folder(data, ROOT / "bundles" / bundle, folder / "mine.json", **{**usual, **options})  # type: ignore[arg-type]


@pytest.fixture
def steps_are_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is measured."""
    monkeypatch.setattr(PlannedBundle, "seconds_per_step", lambda *_: 0.01)


@pytest.mark.parametrize("kind", DATA_SETS)
def test_data_of_every_kind_are_planned(kind: str, tmp_path: Path, steps_are_fast: None) -> None:
    planned = plan(DATA_SETS[kind](tmp_path / "data"), tmp_path, BUNDLES.get(kind, "umc"))
    assert planned.plan is not None
    overlay = json.loads((tmp_path / "mine.json").read_text())
    assert overlay == planned.plan.overlay
    assert {task["name"]: task["_target_"] for task in overlay["tasks"]} == TASKS[kind]
    config = ConfigParser()
    config.read_config([str(ROOT / "bundles" / BUNDLES.get(kind, "umc") / "train.json"), str(tmp_path / "mine.json")])
    assert overlay["key_metric_name"] in config.get_parsed_content("active_tasks").metrics(
        overlay["spatial_dims"], overlay["key_metric_name"]
    )
    told = planned.text.splitlines()
    assert all(any(line.startswith(f"{what}:") for line in told) for what in ("patch", "batch", "epochs", "folds"))


@pytest.mark.parametrize("bundle", ["umc", "mtunet", "hourglass", "mtan", "sunet"])
def test_every_bundle_has_a_plan(bundle: str, tmp_path: Path, steps_are_fast: None) -> None:
    planned = plan(street(tmp_path / "data"), tmp_path, bundle)
    assert planned.plan is not None
    config = ConfigParser()
    config.read_config([str(ROOT / "bundles" / bundle / "train.json"), str(tmp_path / "mine.json")])
    network = config.get_parsed_content("network_def")
    predicted = network(torch.rand(2, 3, 40, 48))
    assert {name: values.shape[1] for name, values in predicted.items()} == {"depth": 1, "labels": 3}


def test_thick_slices_and_turned_volumes_are_brought_together(tmp_path: Path, steps_are_fast: None) -> None:
    planned = plan(decathlon(tmp_path / "data"), tmp_path)
    assert planned.plan is not None
    assert [step["_target_"] for step in planned.plan.overlay["load"]] == [
        "LoadSampled", "Orientationd", "SpaceSampled", "ScaleVolumeRanged",
    ]  # fmt: skip


def test_sections_of_the_data_are_kept(tmp_path: Path, steps_are_fast: None) -> None:
    planned = plan(street(tmp_path / "data"), tmp_path)
    assert planned.plan is not None
    assert [entry["fold"] for entry in planned.plan.entries].count(0) == 2
    assert "the data say what validates" in planned.text


def test_only_what_is_asked_for_is_learned(tmp_path: Path, steps_are_fast: None) -> None:
    data = masks(tmp_path / "data")
    planned = plan(data, tmp_path, tasks=["masks", "denoise"])
    assert planned.plan is not None
    assert [task["name"] for task in planned.plan.overlay["tasks"]] == ["denoise", "masks"]
    assert "height" not in planned.plan.entries[0]
    with pytest.raises(FileExistsError, match=r"mine\.json is there already: .* --overwrite"):
        plan(data, tmp_path)
    planned = plan(data, tmp_path, tasks=["denoise"], noise=25, overwrite=True)
    assert planned.plan is not None
    assert [task["name"] for task in planned.plan.overlay["tasks"]] == ["denoise"]
    assert planned.plan.overlay["degrade"][0]["sigma"] == 25


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tasks": ["mask"]}, r"has no target 'mask'; there are: height, masks\. Correct --tasks"),
        ({"hours": 0}, "hours must be positive"),
        ({"memory": 1e6}, r"Even patches of .* give more \(--memory\)"),
        ({"bundle": "nowhere"}, "is no bundle to train"),
    ],
)
def test_what_cannot_be_planned_is_told(
    options: dict[str, object], message: str, tmp_path: Path, steps_are_fast: None
) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        plan(masks(tmp_path / "data"), tmp_path, **options)


def test_classes_of_images_need_a_bundle_with_such_a_head(tmp_path: Path, steps_are_fast: None) -> None:
    with pytest.raises(ValueError, match=r"species is one value per image, .* take --bundle bundles/mtan"):
        plan(DATA_SETS["table"](tmp_path / "data"), tmp_path)


def test_nothing_is_planned_on_broken_data(tmp_path: Path) -> None:
    data = decathlon(tmp_path / "data")
    (data / "imagesTr" / "a_1.nii.gz").write_bytes(b"cut")
    write_volume(data / "labelsTr" / "a_2.nii.gz", np.full(VOLUME, 7, np.uint8), (1, 1, 4))
    write_volume(data / "imagesTr" / "a_4.nii.gz", intensities(4, (8, 8, 8)), (1, 1, 4))
    planned = plan(data, tmp_path)
    assert planned.plan is None
    assert all(f"a_{number}.nii.gz" in planned.text for number in (1, 2, 4))
    assert "Nothing is planned before that is mended." in planned.text
    assert not (tmp_path / "mine.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", DATA_SETS)
def test_what_is_planned_trains_an_epoch_and_predicts(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the commands that are told, from another folder than the repository; runs are processes of their own."""
    monkeypatch.chdir(tmp_path)
    bundle = ROOT / "bundles" / BUNDLES.get(kind, "umc")
    data = DATA_SETS[kind](tmp_path / "data")
    images = data if kind == "noisy_alone" else next(iter(sorted(data.parent.rglob("image*"))), data.parent / "files")
    if kind == "table":
        images = data.parent / "files" / "0.png"
    channels = ["--channels", "_0000", "--channels", "_0001"] if kind == "nnunet_raw" else []
    for arguments in (
        ["plan", data, "--bundle", bundle, "--output", "mine.json", "--hours", "0.0005", "--workers", "1"],
        ["train", "mine.json", "--override", "max_epochs=1"],
        ["predict", bundle, images, "--output", "out", "--config", "mine.json", "--all-folds", *channels],
    ):
        with pytest.raises(SystemExit) as ended:
            main(list(map(str, arguments)))
        assert ended.value.code == 0
    written = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert all(any(f"_{task}" in name for name in written) for task in TASKS[kind])
    assert '<h2 id="plan">' in (tmp_path / "mine.html").read_text()
    assert (tmp_path / "outputs" / "mine_fold0" / "report.html").is_file()
    assert (tmp_path / "mine.results" / "cases.csv").read_text().count("\n") > 1
