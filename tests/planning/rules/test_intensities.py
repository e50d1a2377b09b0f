"""CT has one range, pictures of 8 bits none, all else one per image."""

import pytest

from monai_mtunet.planning.rules.intensities import choose_intensities

from .fingerprints import case, picture


def test_volumes_are_scaled_each_by_itself():
    chosen = choose_intensities([case(), case(mean=600, std=200, **{"p0.5": 200, "p99.5": 1000})], ["MRI"])
    assert chosen.step == {"_target_": "ScaleVolumeRanged", "keys": "image"}
    assert chosen.mean == (0.5,)  # of both after scaling
    assert chosen.std == (0.25,)
    assert chosen.data_range == (0, 1)
    assert chosen.noise == pytest.approx((4 / 400 + 4 / 800) / 2)


@pytest.mark.parametrize(
    ("channel", "values"), [("CT", {}), ("CT_venous", {"p0.5": -1000.0}), ("scan", {"p0.5": -1000.0})]
)
def test_ct_has_the_range_of_what_is_labeled(channel, values):
    labeled = {"foreground_p0.5": -50.0, "foreground_p99.5": 250.0, "foreground_voxels": 20.0}
    chosen = choose_intensities([case(**values, **labeled), case(**values)], [channel])
    assert chosen.step["ranges"] == [[-50, 250]]
    assert "absolute unit" in chosen.choices[0].reason


def test_pictures_of_8_bits_stay_as_they_are():
    chosen = choose_intensities([picture(), picture()], ["red", "green", "blue"])
    assert chosen.step is None
    assert chosen.data_range == (0, 255)
    assert chosen.mean == (300,) * 3
    assert chosen.std == (100,) * 3


def test_clean_versions_are_scaled_as_their_image():
    assert choose_intensities([case()], ["0"], ["clean"]).step["alike"] == ["clean"]


def test_deviations_between_images_count():
    brighter = picture(channels=1)
    brighter.channels[0]["mean"] = 500.0
    assert choose_intensities([picture(channels=1), brighter], ["0"]).std == (141,)
