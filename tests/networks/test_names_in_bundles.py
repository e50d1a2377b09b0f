import pytest
from monai.bundle import ConfigParser

from monai_mtunet import networks


@pytest.mark.parametrize("name", networks.__all__)
def test_bundles_find_the_class_by_its_bare_name(name):
    # MONAI looks through all loaded modules whose name starts with "monai", undocumented, and prefers its own classes.
    found = ConfigParser({"network": {"_target_": name, "_mode_": "callable"}}).get_parsed_content("network")
    assert found is getattr(networks, name)


def test_bundles_build_networks_from_json():
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
    assert isinstance(network, networks.UMC)
    assert network.out_channels == {"denoise": 1, "segment": 4}
