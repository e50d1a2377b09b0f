"""A bundle names transforms without their module; MONAI's own wins on a clash, and only public classes are found."""

import pytest
from monai.bundle import ConfigParser

import monai_mtunet.data
import monai_mtunet.transforms

CLASSES = {
    name: value
    for package in (monai_mtunet.data, monai_mtunet.transforms)
    for name in package.__all__
    if isinstance(value := getattr(package, name), type)
}


def test_there_are_classes_to_find():
    assert {"LoadSyntheticd", "LoadSampled", "CheckSampled", "AddGaussianNoised", "ScaleVolumeRanged"} <= set(CLASSES)
    assert {"DecodeDisparityd", "RandFlipGeometryd", "RandZoomGeometryd", "SignedDistanceMapd"} <= set(CLASSES)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_bare_names_resolve_to_ours(name):
    found = ConfigParser({"item": {"_target_": name, "_mode_": "callable"}}).get_parsed_content("item")
    assert found is CLASSES[name]
