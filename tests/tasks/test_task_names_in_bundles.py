import pytest
from monai.bundle import ConfigParser

from monai_mtunet import metrics, tasks

CLASSES = {
    name: value
    for package in (metrics, tasks)
    for name in package.__all__
    if isinstance(value := getattr(package, name), type)
}


def test_there_are_classes_to_find():
    assert {"DepthTask", "NormalsTask", "DistanceTask", "QuantityTask", "MissingAwareMAEMetric"} <= set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_bundles_find_the_class_by_its_bare_name(name):
    # MONAI prefers its own classes: a name that it also had would silently give another task.
    found = ConfigParser({"item": {"_target_": name, "_mode_": "callable"}}).get_parsed_content("item")
    assert found is CLASSES[name]


def test_tasks_are_declared_in_json():
    config = [
        {"_target_": "DepthTask", "name": "disparity", "quantity": "disparity", "draw_range": [0, 0.5]},
        {"_target_": "NormalsTask", "name": "normals"},
        {"_target_": "DistanceTask", "name": "distance", "unit": "mm", "truncate": 10, "channels": 3},
    ]
    disparity, normals, distance = ConfigParser({"tasks": config}).get_parsed_content("tasks")
    assert (disparity.unit, disparity.high) == ("px", 0.5)
    assert normals.channels == 3
    assert (distance.unit, distance.channels, distance.low) == ("mm", 3, -10)
