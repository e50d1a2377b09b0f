"""What all bundles share of training, validation and prediction is the same, to the letter."""

import json
from typing import Any

import pytest

from .bundle_under_test import ROOT

BUNDLES = sorted(folder.name for folder in (ROOT / "bundles").iterdir() if (folder / "train.json").exists())
FIRST, *OTHERS = BUNDLES


def item(bundle: str, file: str, name: str) -> Any:
    return json.loads((ROOT / "bundles" / bundle / f"{file}.json").read_text())[name]


@pytest.mark.parametrize("bundle", OTHERS)
@pytest.mark.parametrize(
    "name",
    ["train", "validate", "summary_writer", "pretrained", "pretrained_part", "frozen_parts", "frozen_epochs",
     "initialize", "run", "finalize"],
)  # fmt: skip
def test_training_and_validation(name: str, bundle: str) -> None:
    assert item(bundle, "train", name) == item(FIRST, "train", name)


@pytest.mark.parametrize("bundle", OTHERS)
@pytest.mark.parametrize(
    "name",
    ["preprocessing", "dataset", "dataloader", "postprocessing", "handlers", "evaluator", "initialize", "run",
     "finalize"],
)  # fmt: skip
def test_prediction(name: str, bundle: str) -> None:
    assert item(bundle, "inference", name) == item(FIRST, "inference", name)


@pytest.mark.parametrize("bundle", OTHERS)
def test_evaluation_begins_alike(bundle: str) -> None:
    """What a bundle draws of its own comes after the checkpoint and the measures."""
    for name in ("ckpt_path", "pretrained_network", "run", "finalize"):
        assert item(bundle, "evaluate", name) == item(FIRST, "evaluate", name)
    ours, first = (item(name, "evaluate", "validate#handlers")[:2] for name in (bundle, FIRST))
    assert ours == first


@pytest.mark.parametrize("bundle", OTHERS)
def test_own_files(bundle: str) -> None:
    ours, first = ((ROOT / "bundles" / name / "files.json").read_text() for name in (bundle, FIRST))
    assert ours == first
