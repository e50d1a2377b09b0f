"""Orientation and spacing of volumes: what most have, resampled only where they differ."""

import pytest

from monai_mtunet.planning.rules.grid import choose_grid

from .fingerprints import case, picture


def test_what_agrees_is_not_resampled():
    grid = choose_grid([case(), case(shape=(44, 50, 30), spacing=(1.005, 1, 1)), case()])
    assert grid.steps == ()
    assert grid.spacing == (1, 1, 1)
    assert grid.median == (40, 50, 30)


def test_the_median_spacing_is_that_of_all_and_sizes_follow():
    grid = choose_grid([case(spacing=(1, 1, 2)), case(spacing=(1, 1, 2)), case(spacing=(2, 2, 2))])
    (step,) = grid.steps
    assert step["_target_"] == "SpaceSampled"
    assert step["spacing"] == [1, 1, 2]
    assert grid.sizes.tolist() == [[40, 50, 30], [40, 50, 30], [80, 100, 30]]


def test_across_thick_slices_thinner_ones_are_not_blurred():
    volumes = [case(spacing=(0.5, 0.5, length)) for length in (2.5, 3, 4, 5, 5, 5, 6, 6, 7, 8)]
    (*_, slices) = choose_grid(volumes).spacing
    assert 2.5 <= slices < 3  # the tenth percentile; the median is 5


def test_turned_volumes_are_turned_back_and_measured_so():
    turned = case(shape=(30, 40, 50), spacing=(3, 1, 1), orientation="SLA")
    grid = choose_grid([case(spacing=(1, 1, 3)), case(spacing=(1, 1, 3)), turned])
    assert [step["_target_"] for step in grid.steps] == ["Orientationd"]
    assert grid.steps[0]["axcodes"] == "RAS"
    assert grid.sizes.tolist() == [[40, 50, 30]] * 3
    assert "SLA (1)" in grid.choices[0].reason


@pytest.mark.parametrize(
    ("volume", "axis"),
    [
        (case(), 0),
        (case(orientation="PIR"), 2),
        (case(orientation=None), None),
        (case(spacing=(0.005, 0.005, 0.05)), None),  # microscopy has no left side
    ],
)
def test_only_bodies_have_a_left_side(volume, axis):
    assert choose_grid([volume]).left_right == axis


def test_pictures_and_files_without_spacing_are_taken_as_they_are():
    assert choose_grid([picture(), picture((20, 30))]).steps == ()
    assert choose_grid([case(), case(spacing=None)]).spacing == (1, 1, 1)


def test_the_usual_size_is_one_that_nearly_all_images_have():
    grid = choose_grid([case(shape=(20 + n, 50, 30)) for n in range(10)])
    assert grid.usual == (20, 50, 30)
