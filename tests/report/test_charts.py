"""Charts as SVG, with what they say in words."""

import math
import re
import xml.etree.ElementTree as ET
from base64 import b64decode

import pytest

from monai_mtunet.report.charts import Chart, band_chart, bar_chart, histogram, line_chart
from monai_mtunet.report.training.metric_groups import metrics_of_tasks


def texts(chart: Chart) -> list[str]:
    head, _, content = chart.uri.partition(",")
    assert head == "data:image/svg+xml;base64"
    root = ET.fromstring(b64decode(content).decode())
    return [" ".join("".join(element.itertext()).split()) for element in root.iter("{http://www.w3.org/2000/svg}text")]


def test_lines_are_named_and_told():
    chart = line_chart("iou", {"cat": {1: 0.25, 3: 0.5}, "dog": {1: math.nan, 2: 0.75}, "cow": {}}, marked=3)
    assert chart.text == "cat: 0.25 in epoch 1, 0.5 in epoch 3; dog: 0.75 in epoch 2, 0.75 in epoch 2; cow: no value"
    assert {"cat", "dog", "cow", "epoch"} <= set(texts(chart))
    assert texts(line_chart("x", {"alone": {1: 2.0}})).count("alone") == 0


def test_a_thousand_epochs_are_thinned_out_and_equal_charts_are_equal():
    line = {epoch: math.sin(epoch) for epoch in range(1, 100_001)}
    chart = line_chart("x", {"x": line})
    assert len(chart.uri) < 60_000
    assert chart == line_chart("x", {"x": line})


@pytest.mark.parametrize("values", [[1.0, 1.0], [0.0, 0.0], [-3.0, 2.0, 8.0], [1e-3, 1.0, 1e6]])
def test_histograms_of_any_spread(values):
    chart = histogram("size", {"a": values}, "voxels")
    assert chart.text == f"a: {len(values)} values from {min(values):.4g} to {max(values):.4g}"
    assert "voxels" in texts(chart)


def test_bars_bear_their_shares():
    chart = bar_chart("labels", {"0: none": 0.9375, "1: cell": 0.0625}, ["#000000", "#ff0000"])
    assert chart.text == "0: none: 93.75%; 1: cell: 6.25%"
    assert {"0: none", "93.75%", "6.25%"} <= set(texts(chart))


def test_bands_of_images_of_other_scales_are_logarithmic():
    rows = [(0, 10, 50, 90, 100.0)] * 5
    assert {"0", "20", "100"} <= set(texts(band_chart("x", rows, "value")))
    chart = band_chart("x", [*rows, (0, 1e4, 5e4, 9e4, 1e6)], "value")
    assert chart.text == "medians from 50 to 5e+04, all from 0 to 1e+06"
    assert "1 0 6" in texts(chart)  # 10 to the power of 6


def test_one_image_has_a_band_of_its_own():
    svg = b64decode(band_chart("x", [(0, 10, 50, 90, 100.0)], "value").uri.partition(",")[2]).decode()
    line = re.search(
        r'd="M ([\d.]+) [\d.]+\s+L ([\d.]+) [\d.]+\s+[^"]*" clip-path="[^"]*" style="fill: none; stroke: #000', svg
    )
    assert line is not None
    assert float(line[2]) - float(line[1]) > 100  # points of an SVG as wide as 260


def test_metrics_belong_to_their_tasks_and_classes_together():
    names = [
        "a_psnr",
        "a_psnr_input",
        "a_b_iou_cat",
        "a_b_iou_dog",
        "a_b_f1_dog",
        "a_b_f1_cat",
        "a_b_miou",
        "a_b_f1",
        "other",
    ]
    first, second = metrics_of_tasks(names, ["a", "a_b"])
    assert (first.single, first.groups) == (["a_psnr", "a_psnr_input"], {})
    assert second.single == ["a_b_miou", "a_b_f1"]
    assert second.groups == {
        "iou": {"cat": "a_b_iou_cat", "dog": "a_b_iou_dog"}, "f1": {"dog": "a_b_f1_dog", "cat": "a_b_f1_cat"},
    }  # fmt: skip
    assert second.parts == ["cat", "dog"]
