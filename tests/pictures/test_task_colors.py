"""A task has one color in every figure, and colors stay apart for the color-blind."""

import importlib
import itertools
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from skimage.color import rgb2lab

from monai_mtunet.engines import draw_loss_weights
from monai_mtunet.pictures.task_colors import SHARED_COLOR, TASK_COLORS, task_colors
from monai_mtunet.reproduce import load_experiment, plot

ROOT = Path(__file__).parents[2]
# What is left of linear RGB without one kind of cones (Machado, Oliveira and Fernandes 2009, severity 1).
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def seen(color: str, kind: str) -> np.ndarray:
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    left = np.clip(np.array(BLINDNESS[kind]) @ linear, 0, 1)
    return rgb2lab(np.where(left <= 0.0031308, 12.92 * left, 1.055 * left ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colors_stay_apart_without_one_kind_of_cones(kind: str) -> None:
    colors = {*task_colors("abcdefgh").values(), SHARED_COLOR}
    assert len(colors) == 9
    for one, other in itertools.combinations(colors, 2):
        assert np.linalg.norm(seen(one, kind) - seen(other, kind)) > 10, (one, other)  # just noticeable: 2.3
    assert np.linalg.norm(seen("#ff0000", "deuteranopia") - seen("#8b6f00", "deuteranopia")) < 25  # red and brown


def test_a_task_keeps_its_color_whatever_the_others() -> None:
    assert task_colors(["denoise", "segment"])["segment"] == task_colors(["segment", "depth"])["segment"]
    assert task_colors(["outline"])["outline"] == task_colors(["segment", "outline"])["outline"]
    assert list(task_colors(["outline", "segment"])) == ["outline", "segment"]


def test_tasks_of_one_figure_differ_and_fixed_colors_go_first() -> None:
    blue = TASK_COLORS["segment"]
    alike = next(f"task{i}" for i in range(100) if task_colors([f"task{i}"])[f"task{i}"] == blue)
    both = task_colors([alike, "segment"])
    assert both["segment"] == blue
    assert both[alike] != blue
    assert len(set(task_colors(f"task{i}" for i in range(8)).values())) == 8


def test_curves_and_axes_have_the_tasks_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"epoch": 1.0, "loss_segment": 2.0, "loss_depth": 1.0}]
    (axis,) = draw_loss_weights(["depth", "segment"], rows).axes
    drawn = {line.get_label(): to_hex(line.get_color()) for line in axis.lines}
    assert drawn == task_colors(["depth", "segment"])

    experiment = load_experiment(ROOT / "bundles" / "mtunet" / "experiments" / "table3_figure4.json")
    alone = {"ST-UNet, segmentation": [{"segment_miou": 0.5}], "ST-UNet, depth": [{"depth_abs": 1.0}]}
    both = [{"segment_miou": 0.5, "depth_abs": 1.0}]
    module = importlib.import_module("monai_mtunet.reproduce.plot")
    monkeypatch.setattr(module, "results", lambda _experiment, run, _folder: alone.get(run.name, both))
    axis = plot(experiment, "nowhere").axes[0]
    of_tasks = task_colors(["segment", "depth"])
    assert [axis.yaxis.label.get_color(), axis.xaxis.label.get_color()] == list(of_tasks.values())
    lines = {line.get_label(): line.get_color() for line in axis.lines if line.get_label() in alone}
    assert list(lines.values()) == list(of_tasks.values())
    points = [container.lines[0] for container in axis.containers]
    assert len({(point.get_color(), point.get_marker()) for point in points}) == len(experiment.runs) - 2
    assert not {point.get_color() for point in points} & set(of_tasks.values())
