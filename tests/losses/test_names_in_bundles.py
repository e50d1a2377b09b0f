import pytest
from monai.bundle import ConfigParser
from torch import nn

from monai_mtunet import losses

CLASSES = [name for name in losses.__all__ if isinstance(getattr(losses, name), type)]


@pytest.mark.parametrize("name", CLASSES)
def test_bundles_find_the_class_by_its_bare_name(name):
    # MONAI prefers its own classes: a name that it also had would silently give another loss.
    found = ConfigParser({"loss": {"_target_": name, "_mode_": "callable"}}).get_parsed_content("loss")
    assert found is getattr(losses, name)
    assert issubclass(found, nn.Module)
