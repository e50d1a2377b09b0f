"""Which flips training did is read from the bundle's configuration."""

import json
import shutil
from pathlib import Path

import pytest

from monai_mtunet.bundle.configuration_files import configuration_files
from monai_mtunet.bundle.trained_flips import trained_flips

BUNDLES = Path(__file__).parents[2] / "bundles"
FLIP = {"_target_": "RandFlipGeometryd", "tasks": "@active_tasks", "prob": 0.5}


def flips(bundle, overlays, dims):
    return trained_flips(configuration_files(bundle, overlays), dims)


@pytest.mark.parametrize(
    ("bundle", "overlays", "dims", "expected"),
    [
        ("umc", [], 2, [1]),
        ("umc", ["volume"], 3, [0]),
        ("umc", ["hippocampus"], 3, [0]),
        ("umc", ["sstem"], 3, [0, 1]),
        ("umc", ["camvid"], 2, [1]),
        ("hourglass", ["volume"], 3, [0, 1]),
        ("mtan", ["hippocampus"], 3, [0]),
        ("mtan", [], 2, [0, 1]),
        ("mtunet", ["nyuv2"], 2, [1]),
        ("sunet", ["pascal_voc"], 2, [1]),
    ],
)
def test_of_the_bundles(bundle, overlays, dims, expected):
    folder = BUNDLES / bundle
    assert flips(folder, [folder / f"{overlay}.json" for overlay in overlays], dims) == expected


@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        ({"augment": []}, []),
        ({"augment": [{**FLIP, "prob": 0}]}, []),
        ({"augment": [{**FLIP, "_disabled_": True, "spatial_axis": 0}]}, []),
        ({"augment": [FLIP]}, [[0, 1]]),
        ({"augment": [{**FLIP, "spatial_axis": [-1, 0]}, {**FLIP, "spatial_axis": -1}]}, [[0, 1], 1]),
        ({"augment": [{"_target_": "monai.transforms.RandFlipd", "keys": "image", "spatial_axis": "@a"}], "a": 0}, [0]),
        ({"augment": "$[@one]", "one": {**FLIP, "spatial_axis": 1}}, [1]),
        ({"augment": ["@one"], "one": {**FLIP, "spatial_axis": 1}}, [1]),
        ({"augment": [{"_target_": "OneOf", "transforms": [{**FLIP, "spatial_axis": 1}]}]}, [1]),
        ({"+augment": [{**FLIP, "spatial_axis": [0, 1]}]}, [1, [0, 1]]),
        # What only inference has, and a transform that only training can make.
        ({"inferer#overlap": 0.25, "augment": [{"_target_": "Absent"}, {**FLIP, "spatial_axis": 0}]}, [0]),
    ],
)  # fmt: skip
def test_of_overlays(tmp_path, overlay, expected):
    (tmp_path / "mine.json").write_text(json.dumps(overlay))
    assert flips(BUNDLES / "umc", [tmp_path / "mine.json"], 2) == expected


def test_later_overlays_win(tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps({"augment": [{**FLIP, "spatial_axis": 2}]}))
    overlays = [BUNDLES / "umc" / "hippocampus.json", tmp_path / "mine.json"]
    assert flips(BUNDLES / "umc", overlays, 3) == [2]
    assert flips(BUNDLES / "umc", overlays[::-1], 3) == [0]


@pytest.mark.parametrize("packed", [False, True])
def test_without_the_training_it_is_not_known_unless_an_overlay_tells(tmp_path, packed):
    place = tmp_path / "configs" if packed else tmp_path
    place.mkdir(exist_ok=True)
    shutil.copy(BUNDLES / "umc" / "inference.json", place)
    assert flips(tmp_path, [], 2) is None
    assert flips(tmp_path, [BUNDLES / "umc" / "hippocampus.json"], 3) == [0]
    shutil.copy(BUNDLES / "umc" / "train.json", place)
    assert flips(tmp_path, [], 2) == [1]
