import pytest
from monai.bundle import ConfigParser

import monai_mtunet.networks  # noqa: F401 - "_target_" names its classes
from monai_mtunet.bundle.config_place import place_in_config


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"item": {"_target_": "UMC", "features": "wide"}}, "UMC of features: check these items"),
        ({"a": 0, "item": "$1 / @a#b"}, "the reference @a#b: name an item"),
        ({"a": 0, "item": "$1 / @a"}, "in the expression $1 / @a: check it"),
        ({"item": "$(1"}, "the expression (1: correct it"),
        ({"item": {"_target_": "UMD"}}, 'with a "_target_": check its name'),
        (
            {"a": {"_target_": "UMC"}, "item": {"b": "$@a.forward()"}, "c": 1},
            "making monai_mtunet.networks.unet.umc.UMC",
        ),
    ],
)
def test_a_librarys_error_is_told_with_the_item_that_it_came_up_in(config, place):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the test is about chains
        ConfigParser(config).get_parsed_content("item")
    assert place in place_in_config(caught.value)


def test_errors_outside_of_configurations_have_no_place():
    assert place_in_config(ValueError("wrong")) is None
