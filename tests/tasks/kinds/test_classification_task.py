import numpy as np
import pytest
import torch
from monai.engines import SupervisedEvaluator

from monai_mtunet.engines import MultiTaskPrepareBatch
from monai_mtunet.tasks import ClassificationTask

CLASSES = [f"class {i}" for i in range(7)]
MISSING = -1


class Shown(torch.nn.Module):
    """A network that predicts what it sees: the image's channels are the logits."""

    def forward(self, image):
        return {"classify": image.flatten(1)}


def evaluate(task, logits, labels, batch_size=2):
    """All metrics of a task, through MONAI's evaluator."""
    data = [{"image": x[:, None, None], "classify": t} for x, t in zip(logits, labels, strict=True)]
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=torch.utils.data.DataLoader(data, batch_size=batch_size),
        network=Shown(),
        prepare_batch=MultiTaskPrepareBatch([task]),
        key_val_metric=task.metrics(spatial_dims=2),
        decollate=False,
    )
    evaluator.run()
    return evaluator.state.metrics


@pytest.fixture
def task():
    return ClassificationTask("classify", CLASSES)


class TestMetrics:
    # Each image ranks the classes 0, 1, ... 6: class 0 has the highest logit, class 5 is just beyond the best five.
    logits = -torch.arange(7.0).expand(4, 7)

    @pytest.mark.parametrize("batch_size", [1, 3, 4])
    def test_golden(self, task, batch_size):
        metrics = evaluate(task, self.logits, torch.tensor([0, 4, 5, 6]), batch_size)
        assert metrics == {
            "classify_accuracy": pytest.approx(1 / 4),
            "classify_top1_error": pytest.approx(3 / 4),
            "classify_top5_error": pytest.approx(2 / 4),
        }

    def test_images_without_a_label_are_left_out_exactly(self, task):
        labeled = evaluate(task, self.logits[:2], torch.tensor([0, 6]))
        assert evaluate(task, self.logits, torch.tensor([0, MISSING, 6, MISSING])) == labeled
        assert labeled["classify_accuracy"] == 0.5

    def test_without_any_label_no_metric_claims_a_result(self, task):
        assert all(np.isnan(value) for value in evaluate(task, self.logits, torch.full((4,), MISSING)).values())

    def test_five_classes_have_no_top5_error(self):
        assert list(ClassificationTask("kind", CLASSES[:5]).metrics(2)) == ["kind_accuracy", "kind_top1_error"]


class TestLoss:
    def test_is_the_cross_entropy_of_the_labeled_images(self, task):
        logits = torch.randn(4, 7, generator=torch.Generator().manual_seed(0))
        target = task.prepare_target(torch.tensor([3, MISSING, 0, MISSING]))
        expected = torch.nn.functional.cross_entropy(logits[::2], torch.tensor([3, 0]))
        torch.testing.assert_close(task.loss()(logits, target), expected)
        assert task.loss().valid_count(target) == 2

    def test_of_a_batch_without_labels_is_zero_with_zero_gradients(self, task):
        logits = torch.randn(2, 7, requires_grad=True)
        loss = task.loss()(logits, task.prepare_target(torch.full((2,), MISSING)))
        loss.backward()
        assert loss == 0
        assert torch.equal(logits.grad, torch.zeros(2, 7))


class TestPrepareTarget:
    @pytest.mark.parametrize("dtype", [torch.int16, torch.int64, torch.float32])
    @pytest.mark.parametrize("shape", [(3,), (3, 1)])
    def test_gives_one_int64_per_image(self, task, dtype, shape):
        prepared = task.prepare_target(torch.tensor([0, 6, MISSING], dtype=dtype).reshape(shape))
        assert prepared.dtype == torch.int64
        assert prepared.tolist() == [[0], [6], [MISSING]]

    @pytest.mark.parametrize("shape", [(3, 7), (3, 1, 1), (3, 1, 8, 8), ()])
    def test_other_shapes_are_refused(self, task, shape):
        with pytest.raises(ValueError, match=r"'classify': there must be one label per image, .* got \("):
            task.prepare_target(torch.zeros(shape))

    @pytest.mark.parametrize(("value", "message"), [(7, r"label\(s\) \[7\] are neither"), (0.5, "whole numbers")])
    def test_other_labels_are_refused(self, task, value, message):
        with pytest.raises(ValueError, match=f"Task 'classify': .*{message}"):
            task.prepare_target(torch.tensor([1, value]))


class TestDeclaration:
    def test_one_class_is_refused(self):
        with pytest.raises(ValueError, match=r"'classify': .* at least two classes, got \['cat'\]"):
            ClassificationTask("classify", ["cat"])

    def test_a_class_cannot_be_missing(self):
        with pytest.raises(ValueError, match="ignore_index 1 is the class 'dog'; choose -1"):
            ClassificationTask("classify", ["cat", "dog"], ignore_index=1)
        assert ClassificationTask("classify", ["cat", "dog"], ignore_index=255).loss().ignore_index == 255

    def test_metadata_name_the_classes(self, task):
        metadata = task.metadata(spatial_dims=2)
        assert metadata["num_channels"] == 7
        assert metadata["spatial_shape"] == []
        assert metadata["channel_def"]["6"] == "class 6"


def test_saves_the_most_probable_class(task):
    logits = torch.zeros(7)
    logits[2] = np.log(4)
    content = task.to_json(task.postprocess(logits))
    assert (content["class"], content["number"]) == ("class 2", 2)
    assert content["probabilities"] == pytest.approx([0.1, 0.1, 0.4, 0.1, 0.1, 0.1, 0.1])


class TestDrawing:
    @staticmethod
    def rows(picture):
        """Which fifths of the picture hold anything, from the top."""
        return [bool((part < 255).any()) for part in np.array_split(picture, 5)]

    def test_bars_are_as_long_as_probable(self, task):
        picture = task.draw(torch.tensor([0.0, 0.25, 0, 0.75, 0, 0, 0]))
        assert picture.dtype == np.uint8
        assert self.rows(picture) == [True, True, False, False, False]
        first, second = ((part < 255).any(axis=2).sum(axis=1).max() for part in np.array_split(picture, 5)[:2])
        assert first == pytest.approx(0.75 * picture.shape[1], abs=3)
        assert second < first

    def test_a_target_is_one_bar_and_a_missing_one_none(self, task):
        assert self.rows(task.draw(task.values_of_target(torch.tensor([6])))) == [True, False, False, False, False]
        assert not any(self.rows(task.draw(task.values_of_target(torch.tensor([MISSING])))))
