"""Overlays are JSON that people read."""

import json

import pytest

from monai_mtunet.planning.overlay_text import overlay_text


@pytest.mark.parametrize(
    "overlay",
    [
        {"a": 1, "b": [1, 2, 3], "c": "$'é' + str(@fold)", "d": None, "e": {}, "f": []},
        {"long": list(range(100)), "next": True},
        {"tasks": [{"_target_": "SegmentationTask", "classes": [f"class number {n}" for n in range(30)]}, {"b": 1}]},
        {"val": {"handlers": [{"_target_": "A" * 50, "b": "@c" * 20}, {"d": "x" * 90}], "e": ["word " * 8] * 10}},
    ],
)
def test_it_says_the_same_in_lines_that_fit(overlay):
    text = overlay_text(overlay)
    assert json.loads(text) == overlay
    assert max(map(len, text.splitlines())) <= 121


def test_a_short_item_takes_a_line_and_a_list_of_components_one_each():
    text = overlay_text({"fold": 0, "load": [{"_target_": "LoadSampled" + "x" * 60}, {"_target_": "Scale" + "y" * 60}]})
    assert text.splitlines()[1] == '    "fold": 0,'
    assert [line[:21] for line in text.splitlines()[3:5]] == ['        {"_target_": "'[:21]] * 2
