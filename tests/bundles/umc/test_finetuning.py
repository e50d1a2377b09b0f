"""The overlays of docs/finetuning.md, word for word, on the small UMC bundle."""

import re
from ast import literal_eval
from pathlib import Path
from typing import Any

import pytest
import torch

from ..bundle_under_test import ROOT, needs_data
from ..left_by_a_run import measured, network
from .umc_bundle import SMALL_VOLUME, UMC

PAGE = (ROOT / "docs" / "finetuning.md").read_text()
OVERLAYS = dict(re.findall(r"`(\w+)\.json`.*?```json\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    UMC.train(folder)
    return folder


@pytest.fixture
def overlay(tmp_path: Path) -> Any:
    """Write overlays of the page; give their paths as names of a bundle's files."""

    def written(*names: str) -> list[str]:
        for name in names:
            (tmp_path / f"{name}.json").write_text(OVERLAYS[name])
        return [str(tmp_path / name) for name in names]

    return written


def best(folder: Path) -> dict[str, Any]:
    return {"pretrained": str(folder / "checkpoints" / "best.pt")}


def changed(before: Path, after: Path) -> set[str]:
    first, second = network(before, "best"), network(after)
    return {name for name in second if name not in first or not torch.equal(first[name], second[name])}


def test_the_page_has_all_of_its_overlays() -> None:
    assert list(OVERLAYS) == ["other_classes", "whole_hippocampus", "add_edges", "two_channels"]


def test_other_classes(trained: Path, overlay: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder, names = tmp_path / "run", overlay("other_classes")
    UMC.train(folder, *names, **best(trained), learning_rate=0.0)  # statistics alone change
    log = capfd.readouterr().out
    assert "pathways.segment.head (2 tensors) (weight is (5, 4, 1, 1) in it, (3, 4, 1, 1) here)" in log
    still = {name for name in changed(trained, folder) if not re.search("running|num_batches", name)}
    assert still == {"pathways.segment.head.weight", "pathways.segment.head.bias"}
    UMC.predict(folder, *names)
    assert list((folder / "predictions").glob("*_segment.png"))


@needs_data("hippocampus", "Task04_Hippocampus")
def test_other_classes_of_files(overlay: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    few = "$monai_mtunet.data.decathlon_datalist(@dataset_dir, 'val', @fold, group=@subject)[:4]"
    small = {"features": [4, 8], "batch_size": 2, "max_epochs": 1, "train_data": few, "val_data": few}
    UMC.run(tmp_path / "three", "train", "hippocampus", **small)
    UMC.run(
        tmp_path / "run", "train", "hippocampus", *overlay("whole_hippocampus"), **small, **best(tmp_path / "three")
    )
    assert "left as initialized: pathways.segment.head (2 tensors) (weight is (3, 4, 1," in capfd.readouterr().out
    assert {"segment_iou_background", "segment_iou_hippocampus"} <= set(measured(tmp_path / "run", "validation"))


def test_one_more_task_above_an_encoder_frozen_for_five_epochs(trained: Path, overlay: Any, tmp_path: Path) -> None:
    (given,) = re.findall(r"'add_edges.json'\]\" (--frozen_parts.*)", PAGE)
    options = dict(re.findall(r"--(\w+) (\S+)", given.replace('"', "")))
    frozen = {name: literal_eval(value) for name, value in options.items()} | best(trained) | {"lr_scheduler#T_max": 6}
    folder, names = tmp_path / "run", overlay("add_edges")
    UMC.train(folder, *names, **frozen, max_epochs=5)
    fifth = network(folder)
    different = changed(trained, folder)
    assert not any(name.startswith("encoder.") for name in different)
    for task in ("denoise", "segment", "edges"):
        assert f"pathways.{task}.head.weight" in different
    UMC.train(folder, *names, **frozen, max_epochs=6, resume=True)
    assert not any(tensor.equal(network(folder)[name]) for name, tensor in fifth.items())
    UMC.predict(folder, names[0])
    assert list((folder / "predictions").glob("*_edges.*"))


@pytest.mark.slow
def test_one_more_channel(overlay: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    small = {**SMALL_VOLUME, "augment": []}
    UMC.train(tmp_path / "volume", "volume", **small)
    UMC.train(tmp_path / "run", "volume", *overlay("two_channels"), **small, **best(tmp_path / "volume"))
    assert "adapted: encoder.first.conv_0.conv.weight (1 channels in it, 2 here" in capfd.readouterr().out
