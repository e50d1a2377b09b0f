"""Rows of ready pictures, without any task."""

import numpy as np
import pytest

from monai_mtunet.pictures import ColorBar
from monai_mtunet.pictures.grid import draw_grid

GRAY = np.full((4, 6, 3), 128, dtype=np.uint8)


def test_pictures_are_drawn_row_by_row_under_their_captions():
    other = GRAY // 2
    axes = draw_grid([{"a": GRAY, "b": other}, {"a": other, "b": GRAY}], title="two rows").axes
    assert [axis.get_title() for axis in axes] == ["a", "b"] * 2
    for axis, picture in zip(axes, (GRAY, other, other, GRAY), strict=True):
        np.testing.assert_array_equal(axis.images[0].get_array(), picture)


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
def test_pixels_are_as_high_as_they_are_spaced(aspect):
    figure = draw_grid([{"a": GRAY}], aspect=aspect)
    figure.draw_without_rendering()
    box = figure.axes[0].get_window_extent()
    assert box.height / box.width == pytest.approx(aspect * 4 / 6)


def test_a_bar_is_as_wide_as_its_columns():
    bars = [(ColorBar(0, 1, "one", "magma"), ["a"]), (ColorBar(0, 2, "two", "magma"), ["b", "c"])]
    figure = draw_grid([{"a": GRAY, "b": GRAY, "c": GRAY}], bars=bars)
    columns = {
        axis.get_xlabel(): axis.get_subplotspec().colspan for axis in figure.axes if axis.get_xlabel() in ("one", "two")
    }
    assert columns == {"one": range(1), "two": range(1, 3)}


@pytest.mark.parametrize(("count", "drawn"), [(0, 0), (3, 3), (50, 20)])
def test_a_long_legend_leaves_room_for_the_pictures(count, drawn):
    figure = draw_grid([{"a": GRAY}], {f"class {number}": (number, 0, 0) for number in range(count)})
    assert sum(len(legend.get_texts()) for legend in figure.legends) == drawn
