import numpy as np
import pytest
import torch
from monai.engines import SupervisedEvaluator

from monai_mtunet.engines import MultiTaskPrepareBatch
from monai_mtunet.tasks import BoundingBoxTask, TaskList, draw_panel

NAN = torch.nan
FRAME = [230, 97, 0]


def evaluate(task, predictions, targets, size=(20, 10)):
    """All metrics of a task, through MONAI's evaluator, of images of a size."""

    class Predicts(torch.nn.Module):
        def forward(self, image):
            return {"box": image.flatten(2)[:, :, 0]}

    images = [p.view(-1, *[1] * len(size)).expand(-1, *size) for p in predictions]
    data = [{"image": image, "box": t} for image, t in zip(images, targets, strict=True)]
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=torch.utils.data.DataLoader(data, batch_size=2),
        network=Predicts(),
        prepare_batch=MultiTaskPrepareBatch([task]),
        key_val_metric=task.metrics(len(size)),
        decollate=False,
    )
    evaluator.run()
    return dict(evaluator.state.metrics)


class TestMetrics:
    # In voxels of a 20 x 10 image: 4..12 by 2..6, predicted as 4..16 by 2..6, and an image without a box.
    target = torch.tensor([[4.0, 2, 12, 6], [NAN] * 4])
    prediction = torch.tensor([[4.0, 2, 16, 6], [0.0, 0, 1, 1]])

    def test_are_in_voxels_of_the_input_whatever_the_unit(self):
        expected = {"box_iou": pytest.approx(8 / 12), "box_l2": pytest.approx(4**2 / 4)}
        assert evaluate(BoundingBoxTask("box", unit="voxel"), self.prediction / 100, self.target) == expected
        size = torch.tensor([20.0, 10, 20, 10])
        assert evaluate(BoundingBoxTask("box"), self.prediction / size, self.target / size) == expected

    def test_in_3d(self):
        target = torch.tensor([[0.0, 0, 0, 0.5, 0.5, 1]])
        metrics = evaluate(BoundingBoxTask("box", spatial_dims=3), target.clone(), target, size=(4, 6, 2))
        assert metrics == {"box_iou": 1, "box_l2": 0}

    def test_without_any_box_claim_nothing(self):
        metrics = evaluate(BoundingBoxTask("box"), torch.zeros(1, 4), torch.tensor([[NAN] * 4]))
        assert all(np.isnan(value) for value in metrics.values())

    def test_the_lower_error_is_the_better(self):
        tasks = TaskList([BoundingBoxTask("box")])
        assert tasks.metric_cmp_fn("box_l2")(1, 2)
        assert tasks.metric_cmp_fn("box_iou")(0.8, 0.7)


class TestLoss:
    def test_in_voxels_is_the_papers(self):
        # "MSE on the box in pixels scaled by 1e-4".
        task = BoundingBoxTask("box", unit="voxel")
        target, predicted = torch.tensor([[10.0, 20, 110, 90]]), torch.tensor([[20.0, 20, 110, 60]])
        loss = task.loss()(predicted / task.scale, task.prepare_target(target))
        assert loss.item() == pytest.approx(1e-4 * (10**2 + 30**2) / 4)

    def test_is_of_the_images_with_a_box(self):
        task = BoundingBoxTask("box")
        target = task.prepare_target(torch.tensor([[0.0, 0, 1, 1], [NAN] * 4]))
        prediction = torch.full((2, 4), 0.5, requires_grad=True)
        loss = task.loss()(prediction, target)
        loss.backward()
        assert loss == 0.25
        assert torch.equal(prediction.grad[1], torch.zeros(4))
        assert task.loss().valid_count(target) == 4


def test_the_network_gets_a_vector_head():
    tasks = TaskList([BoundingBoxTask("box"), BoundingBoxTask("organ", spatial_dims=3)])
    assert tasks.out_channels == {}
    assert tasks.out_features == {"box": 4, "organ": 6}
    assert tasks.missing_values["organ"].isnan().tolist() == [True] * 6


class TestPrepareTarget:
    def test_divides_by_the_scale_and_keeps_missing(self):
        target = BoundingBoxTask("box", unit="voxel").prepare_target(torch.tensor([[0, 10, 50, 100.0], [NAN] * 4]))
        torch.testing.assert_close(target, torch.tensor([[0, 0.1, 0.5, 1], [NAN] * 4]), equal_nan=True)

    @pytest.mark.parametrize(
        ("target", "message"),
        [
            ([[0.0, 0, NAN, 1]], r"is no box \(top, left, bottom, right\)"),
            ([[0.5, 0, 0.4, 1]], "is no box .* must stop where it starts or later"),
            ([[0.0, 0, 40, 100]], "within 0..1, got up to 100 and down to 0; .* unit='voxel'"),
            ([[0.0, 0, 1]], r"4 channel\(s\), its target has shape \(1, 3\)"),
            ([0.0, 0, 1, 1], r"one box per image, \(B, 4\), got \(4,\)"),
            ([[0.0, 0, 1, torch.inf]], "infinite"),
        ],
    )
    def test_wrong_boxes_are_refused(self, target, message):
        with pytest.raises(ValueError, match=f"Task 'box'.*{message}"):
            BoundingBoxTask("box").prepare_target(torch.tensor(target))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"unit": "mm"}, r"unit must be one of \['normalized', 'voxel'\], got 'mm'"),
        ({"spatial_dims": 1}, "spatial_dims must be 2 or 3, got 1"),
        ({"scale": 0}, "scale must be positive, got 0"),
    ],
)
def test_wrong_declarations_are_refused(arguments, message):
    with pytest.raises(ValueError, match=f"Task 'box': {message}"):
        BoundingBoxTask("box", **arguments)


class TestFiles:
    def test_say_sides_and_unit(self):
        task = BoundingBoxTask("box", unit="voxel")
        assert task.to_json(task.postprocess(torch.tensor([0.5, 0.25, 1, 2]))) == {
            "box": {"top": 50, "left": 25, "bottom": 100, "right": 200},
            "unit": "voxel",
        }

    def test_metadata_too(self):
        metadata = BoundingBoxTask("box", spatial_dims=3).metadata(3)
        assert metadata["spatial_shape"] == []
        assert metadata["channel_def"]["5"] == "z_stop [normalized]"


class TestFlipsAndScales:
    def test_a_flipped_box_is_flipped_back(self):
        box = torch.tensor([[0.1, 0.2, 0.5, 0.4]])
        flipped = torch.tensor([[0.1, 0.6, 0.5, 0.8]])
        torch.testing.assert_close(BoundingBoxTask("box").undo_flip(flipped, 1), box)
        torch.testing.assert_close(BoundingBoxTask("box", scale=2).undo_flip(flipped / 2, 1), box / 2)
        with pytest.raises(ValueError, match="only normalized boxes can be flipped"):
            BoundingBoxTask("box", unit="voxel").undo_flip(box, 1)

    def test_only_voxels_grow_with_the_image(self):
        box = torch.tensor([[2.0, 4, 6, 8]])
        assert torch.equal(BoundingBoxTask("box").undo_scale(box, 2), box)
        assert torch.equal(BoundingBoxTask("box", unit="voxel").undo_scale(box, 2), box / 2)


class TestDrawing:
    @staticmethod
    def framed(picture):
        """Rows and columns that the frame spans."""
        frame = (picture == FRAME).all(axis=2)
        rows, columns = np.flatnonzero(frame.any(axis=1)), np.flatnonzero(frame.any(axis=0))
        assert not frame[rows[0] + 2 : rows[-1] - 1, columns[0] + 2 : columns[-1] - 1].any()  # hollow
        return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1

    @pytest.mark.parametrize("unit", ["normalized", "voxel"])
    def test_on_the_input(self, unit):
        values = torch.tensor([4.0, 10, 12, 30])
        values = values / torch.tensor([20, 40, 20, 40]) if unit == "normalized" else values
        shown = np.zeros((20, 40, 3), dtype=np.uint8)
        picture = BoundingBoxTask("box", unit=unit).draw_with_input(values, torch.zeros(1, 20, 40), shown)
        assert self.framed(picture) == (4, 10, 12, 30)
        assert not shown.any()

    @pytest.mark.parametrize("unit", ["normalized", "voxel"])
    def test_of_a_volume_where_the_panel_shows_it(self, unit):
        image = torch.zeros(1, 30, 20, 4)
        image[:, 3:12, 5:10] = 1  # x and y
        values = torch.tensor([3.0, 5, 0, 12, 10, 4])
        values = values / torch.tensor([30, 20, 4] * 2) if unit == "normalized" else values
        task = BoundingBoxTask("box", spatial_dims=3, unit=unit)
        figure = draw_panel([task], [image], [{"box": values}])
        shown, picture = (np.asarray(axis.images[0].get_array()) for axis in figure.axes)
        rows, columns = np.nonzero(shown[..., 0] > 128)
        assert self.framed(picture) == (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)

    def test_missing_and_outside(self):
        task, shown = BoundingBoxTask("box"), np.zeros((20, 40, 3), dtype=np.uint8)
        assert not task.draw_with_input(torch.full((4,), NAN), torch.zeros(1, 20, 40), shown).any()
        outside = task.draw_with_input(torch.tensor([-3.0, 0.5, -2, 7]), torch.zeros(1, 20, 40), shown)
        assert self.framed(outside) == (0, 20, 1, 40)

    def test_alone(self):
        assert self.framed(BoundingBoxTask("box").draw(torch.tensor([0.25, 0, 0.5, 1]))) == (32, 0, 64, 128)
        assert self.framed(BoundingBoxTask("box", unit="voxel").draw(torch.tensor([2.0, 3, 9, 12]))) == (2, 3, 9, 12)
