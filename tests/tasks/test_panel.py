import numpy as np
import pytest
import torch
from PIL import Image

from monai_mtunet.pictures import rasterize, save_figure
from monai_mtunet.tasks import (
    DepthTask,
    DistanceTask,
    NormalsTask,
    RestorationTask,
    SegmentationTask,
    draw_panel,
)

PALETTE = [[0, 0, 0], [255, 0, 0]]


@pytest.fixture
def tasks():
    return [
        RestorationTask("denoise", channels=1, data_range=(0, 100), mean=50.0, std=50.0),
        SegmentationTask("segment", ["back", "front"], palette=PALETTE),
    ]


def sample(*spatial):
    """Input, post-processed predictions and prepared targets; all dark but for the second half of the first axis."""
    front = torch.zeros(1, *spatial)
    front[:, spatial[0] // 2 :] = 1
    image = front * 2 - 1
    return (
        image,
        {"denoise": front * 100, "segment": front.to(torch.uint8)},
        {"denoise": image, "segment": front.long()},
    )


def titles(figure):
    return [axis.get_title() for axis in figure.axes]


def pictures(figure):
    return {axis.get_title(): np.asarray(axis.images[0].get_array()) for axis in figure.axes if axis.images}


def legend_texts(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_one_row_per_sample_with_every_prediction_and_target(tasks):
    image, prediction, target = sample(8, 10)
    figure = draw_panel(tasks, [image] * 3, [prediction] * 3, [target] * 3, title="epoch 7")
    assert titles(figure) == ["input", "denoise", "denoise: target", "segment", "segment: target"] * 3
    assert figure.get_suptitle() == "epoch 7"
    assert legend_texts(figure) == ["back", "front"]


def test_without_targets_there_are_no_target_columns(tasks):
    image, prediction, target = sample(8, 10)
    assert titles(draw_panel(tasks, [image], [prediction])) == ["input", "denoise", "segment"]
    del target["denoise"]
    figure = draw_panel(tasks, [image], [prediction], [target])
    assert titles(figure) == ["input", "denoise", "segment", "segment: target"]


def test_all_pictures_are_in_the_same_units(tasks):
    image, prediction, target = sample(8, 10)
    drawn = pictures(draw_panel(tasks, [image], [prediction], [target]))
    gray = (prediction["denoise"][0, ..., None] * 2.55).round().numpy().astype(np.uint8).repeat(3, axis=-1)
    for title in ("input", "denoise", "denoise: target"):
        np.testing.assert_array_equal(drawn[title], gray)
    for title in ("segment", "segment: target"):
        np.testing.assert_array_equal(drawn[title], np.array(PALETTE)[prediction["segment"][0]])


def test_of_volumes_the_middle_slice_is_drawn_with_x_right_and_y_up(tasks):
    spatial = (6, 4, 5)
    image, prediction, target = sample(*spatial)
    labels = torch.zeros(1, *spatial, dtype=torch.uint8)
    labels[0, 5, 3, 2] = 1  # largest x, largest y, middle of z: the picture's upper right corner
    labels[0, 0, 0, 0] = 1  # another slice
    expected = np.zeros((4, 6, 3), dtype=np.uint8)
    expected[0, 5] = PALETTE[1]
    figure = draw_panel(tasks, [image], [prediction | {"segment": labels}], [target | {"segment": labels.long()}])
    drawn = pictures(figure)
    np.testing.assert_array_equal(drawn["segment"], expected)
    np.testing.assert_array_equal(drawn["segment: target"], expected)
    assert drawn["input"].shape == (4, 6, 3)
    assert drawn["input"][:, :3].max() == 0  # x < 3 is dark


@pytest.mark.parametrize("value", [0.0, 120.0, -1e6])
def test_an_input_of_no_tasks_channels_is_drawn_in_its_own_window(tasks, value):
    image, prediction, _ = sample(8, 10)
    image = torch.cat([image * 1000, image])
    drawn = pictures(draw_panel(tasks, [image], [prediction]))["input"]
    assert (drawn.min(), drawn.max()) == (0, 255)
    constant = pictures(draw_panel(tasks, [torch.full_like(image, value)], [prediction]))["input"]
    assert len(np.unique(constant)) == 1


def test_missing_targets_are_drawn(tasks):
    image, prediction, target = sample(8, 10)
    missing = {"denoise": torch.full_like(target["denoise"], torch.nan), "segment": torch.full((1, 8, 10), 255)}
    drawn = pictures(draw_panel(tasks, [image], [prediction], [missing]))
    assert drawn["denoise: target"].min() == 255
    assert drawn["segment: target"].min() == 255


def test_the_legend_tells_tasks_apart(tasks):
    image, prediction, _ = sample(8, 10)
    other = SegmentationTask("edges", ["back", "edge"])
    figure = draw_panel([*tasks, other], [image], [prediction | {"edges": prediction["segment"]}])
    assert legend_texts(figure) == ["segment: back", "segment: front", "edges: back", "edges: edge"]


def test_rasterize_and_save_agree(tasks, tmp_path):
    image, prediction, _ = sample(8, 10)
    figure = draw_panel(tasks, [image], [prediction])
    picture = rasterize(figure)
    save_figure(figure, tmp_path / "new" / "folder" / "panel.png")
    saved = np.asarray(Image.open(tmp_path / "new" / "folder" / "panel.png").convert("RGB"))
    assert picture.dtype == np.uint8
    assert picture.shape == saved.shape
    np.testing.assert_array_equal(picture, saved)


def test_legend_and_title_of_a_narrow_panel_are_not_cut_off():
    labels = torch.zeros(1, 8, 10, dtype=torch.uint8)
    task = SegmentationTask("segment", ["traffic light", *(f"class {i}" for i in range(18))])
    figure = draw_panel([task], [torch.randn(1, 8, 10)], [{"segment": labels}], title="a_long_file_name_" * 5)
    rasterize(figure)
    assert len(legend_texts(figure)) == 19
    legend = figure.legends[0].get_window_extent()
    assert figure.bbox.x0 <= legend.x0 < legend.x1 <= figure.bbox.x1
    assert figure.bbox.y0 <= legend.y0
    title = next(text for text in figure.texts if text.get_text().startswith("a_long")).get_window_extent()
    assert figure.bbox.x0 <= title.x0 < title.x1 <= figure.bbox.x1


class TestColorBars:
    @pytest.fixture
    def scaled(self):
        return [DepthTask("depth", draw_range=(0, 20)), DistanceTask("distance", truncate=5), NormalsTask("normals")]

    @staticmethod
    def sample(*spatial):
        prediction = {"depth": torch.full((1, *spatial), 10.0), "distance": torch.zeros(1, *spatial)}
        prediction["normals"] = torch.zeros(3, *spatial)
        prediction["normals"][2] = 1
        return torch.randn(1, *spatial), prediction

    @pytest.mark.parametrize("spatial", [(8, 16), (6, 8, 5)])
    def test_every_scale_is_drawn_once_for_all_samples_with_its_unit(self, scaled, spatial):
        image, prediction = self.sample(*spatial)
        figure = draw_panel(scaled, [image] * 2, [prediction] * 2, [prediction] * 2)
        bars = {axis.get_xlabel(): axis.get_xlim() for axis in figure.axes if axis.get_xlabel()}
        assert bars == {"depth [m]": (0, 20), "distance [voxel]": (-5, 5)}
        drawn = pictures(figure)
        np.testing.assert_array_equal(drawn["depth"], drawn["depth: target"])
        assert legend_texts(figure) == ["x", "y", "z"]

    def test_without_a_scale_there_is_no_bar(self, tasks):
        image, prediction, target = sample(8, 10)
        assert len(draw_panel(tasks, [image], [prediction], [target]).axes) == 5

    @pytest.mark.parametrize("targets", [False, True])
    @pytest.mark.parametrize("spatial", [(8, 16), (16, 8)])
    def test_bars_are_within_the_figure_and_below_the_pictures_of_their_task(self, scaled, targets, spatial):
        image, prediction = self.sample(*spatial)
        figure = draw_panel(scaled, [image], [prediction], [prediction] if targets else None, title="frame")
        rasterize(figure)
        renderer = figure.canvas.get_renderer()
        boxes = {axis.get_title() or axis.get_xlabel(): axis.get_tightbbox(renderer) for axis in figure.axes}
        for name, bar in (("depth", boxes["depth [m]"]), ("distance", boxes["distance [voxel]"])):
            assert figure.bbox.x0 <= bar.x0 < bar.x1 <= figure.bbox.x1
            assert figure.bbox.y0 <= bar.y0
            assert bar.y1 <= boxes[name].y0
            last = boxes[f"{name}: target"] if targets else boxes[name]
            assert (bar.x0 + bar.x1) / 2 == pytest.approx((boxes[name].x0 + last.x1) / 2, abs=8)
        assert boxes["depth [m]"].x1 <= boxes["distance [voxel]"].x0
        assert figure.legends[0].get_window_extent().y1 <= boxes["depth [m]"].y0
