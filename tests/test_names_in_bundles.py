"""Configurations name what the package exports without its module: `"_target_": "UMC"`."""

import importlib
from collections import Counter
from typing import Any

import pytest
from monai.bundle import ConfigParser

import monai_mtunet

EXPORTED: list[tuple[str, Any]] = [
    (name, getattr(room, name))
    for room in (importlib.import_module(f"monai_mtunet.{room}") for room in monai_mtunet.__all__)
    for name in room.__all__
]


def can_be_named(value: Any) -> bool:
    """A function in a module of its own name hides that module; bundles call it, `$monai_mtunet.data.keep_labels()`."""
    return isinstance(value, type) or (callable(value) and value.__module__.rpartition(".")[2] != value.__name__)


NAMED = {name: value for name, value in EXPORTED if can_be_named(value)}


def test_there_are_names_of_every_room_and_none_twice() -> None:
    assert {
        "UMC", "sunet_64", "SegmentationTask", "TaskList", "MissingAwareMAEMetric", "FixedWeighting", "LoadSyntheticd",
        "LoadSampled", "MultiTaskTrainer", "MultiTaskSlidingWindowInferer", "load_vgg16",
    } <= set(NAMED)  # fmt: skip
    assert [name for name, count in Counter(name for name, _ in EXPORTED).items() if count > 1] == []


@pytest.mark.parametrize("name", NAMED)
def test_bundles_find_it_by_its_bare_name(name: str) -> None:
    # MONAI looks through all loaded modules whose name starts with "monai", undocumented, and prefers its own classes:
    # a name that it also had would silently give another.
    found = ConfigParser({"item": {"_target_": name, "_mode_": "callable"}}).get_parsed_content("item")
    assert found is NAMED[name]


def test_bundles_build_networks_from_json() -> None:
    config = {
        "_target_": "UMC",
        "spatial_dims": 3,
        "in_channels": 1,
        "out_channels": {"denoise": 1, "segment": 4},
        "features": [4, 8, 16],
        "strides": [[1, 2, 2], 2],
        "norm": ["instance", {"affine": True}],
    }
    network = ConfigParser({"network": config}).get_parsed_content("network")
    assert isinstance(network, monai_mtunet.networks.UMC)
    assert network.out_channels == {"denoise": 1, "segment": 4}


def test_tasks_are_declared_in_json() -> None:
    config = [
        {"_target_": "DepthTask", "name": "disparity", "quantity": "disparity", "draw_range": [0, 0.5]},
        {"_target_": "NormalsTask", "name": "normals"},
        {"_target_": "DistanceTask", "name": "distance", "unit": "mm", "truncate": 10, "channels": 3},
    ]
    tasks = {"tasks": config, "active_tasks": {"_target_": "TaskList", "tasks": "@tasks", "only": "disparity distance"}}
    parser = ConfigParser(tasks)
    disparity, normals, distance = parser.get_parsed_content("tasks")
    assert (disparity.unit, disparity.high) == ("px", 0.5)
    assert normals.channels == 3
    assert (distance.unit, distance.channels, distance.low) == ("mm", 3, -10)
    assert parser.get_parsed_content("active_tasks").out_channels == {"disparity": 1, "distance": 3}
