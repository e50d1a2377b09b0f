import pytest
from monai.bundle import ConfigParser

import monai_mtunet.networks  # noqa: F401 - "_target_" names its classes
from monai_mtunet.bundle.config_place import place_in_config


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"item": {"_target_": "UMC", "features": "wide"}}, "item, while making monai_mtunet.networks.unet.umc.UMC of"),
        ({"a": 0, "item": "$1 / @a#b"}, "item, with the reference @a#b: name an item"),
        ({"a": 0, "item": "$1 / @a"}, "item, in the expression $1 / @a: check it"),
        ({"a": ["$(1"], "item": "@a"}, "a#0, with the expression (1: correct it"),
        ({"a": "$", "item": "@a"}, "a, with the expression : correct it"),
        ({"item": {"_target_": "UMD"}}, 'item, with a "_target_": check its name'),
        ({"item": {"b": "@"}}, "item, with a reference that leads back to itself"),
        ({"a": "@b", "b": "@a", "item": "@a"}, "b, with a reference that leads back to itself"),
        ({"a": {"_target_": "UMC"}, "item": {"b": "$@a.forward()"}, "c": 1}, "a, while making monai_mtunet.networks"),
    ],
)
def test_a_librarys_error_is_told_with_the_item_that_it_came_up_in(config, place):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the test is about chains
        ConfigParser(config).get_parsed_content("item")
    assert place_in_config(caught.value).startswith(f"It came up in {place}")


def test_errors_outside_of_configurations_have_no_place():
    assert place_in_config(ValueError("wrong")) is None
