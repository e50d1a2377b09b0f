import numpy as np
import pytest
import torch
from monai.engines import SupervisedEvaluator
from monai.metrics import DiceMetric
from monai.networks.utils import one_hot
from skimage.color import rgb2lab

from monai_mtunet.engines import MultiTaskPrepareBatch
from monai_mtunet.losses import MissingAwareSegmentationLoss
from monai_mtunet.tasks import SegmentationTask

IGNORE = 255
CLASSES = ["back ground", "liver", "spleen"]


class OneHot(torch.nn.Module):
    """A network that predicts what it sees: the image holds the class numbers."""

    def forward(self, image):
        return {"segment": one_hot(image, num_classes=len(CLASSES))}


def evaluate(task, predictions, labels, batch_size=1):
    """All metrics of a task, through MONAI's evaluator."""
    data = [{"image": p[None].float(), "segment": t[None]} for p, t in zip(predictions, labels, strict=True)]
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=torch.utils.data.DataLoader(data, batch_size=batch_size),
        network=OneHot(),
        prepare_batch=MultiTaskPrepareBatch([task]),
        key_val_metric=task.metrics(spatial_dims=labels.ndim - 1),
        decollate=False,
    )
    evaluator.run()
    return evaluator.state.metrics


def random_maps(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(3, shape, generator=generator), torch.randint(3, shape, generator=generator)


@pytest.fixture
def task():
    return SegmentationTask("segment", CLASSES, dice=True)


class TestMetrics:
    def test_golden_over_the_data_set(self, task):
        # Image 1: background 3 of 4 right, one taken for liver. Image 2: liver 1 of 3 right, two for background,
        # and a voxel without a label.
        predictions = torch.tensor([[[0, 0], [0, 1]], [[1, 0], [0, 2]]])
        labels = torch.tensor([[[0, 0], [0, 0]], [[1, 1], [1, IGNORE]]])
        metrics = evaluate(task, predictions, labels)
        background, liver = 3 / (4 + 5 - 3), 1 / (3 + 2 - 1)
        assert metrics["segment_iou_back_ground"] == pytest.approx(background)
        assert metrics["segment_iou_liver"] == pytest.approx(liver)
        assert np.isnan(metrics["segment_iou_spleen"])
        assert metrics["segment_miou"] == pytest.approx((background + liver) / 2)
        assert metrics["segment_accuracy"] == pytest.approx(4 / 7)
        # Image 1 has no foreground and is left out; liver in image 2: 2 * 1 / (1 + 3).
        assert metrics["segment_dice"] == pytest.approx(0.5)

    def test_f1_and_frequency_weighted_iou_are_measured_on_request(self):
        # As above: 5 of 7 predictions and 4 of 7 labels are background, liver has 2 and 3; spleen has none.
        predictions = torch.tensor([[[0, 0], [0, 1]], [[1, 0], [0, 2]]])
        labels = torch.tensor([[[0, 0], [0, 0]], [[1, 1], [1, IGNORE]]])
        metrics = evaluate(SegmentationTask("segment", CLASSES, f1=True, fwiou=True), predictions, labels)
        assert metrics["segment_f1_liver"] == pytest.approx(2 * 1 / (2 + 3))
        assert np.isnan(metrics["segment_f1_spleen"])
        assert "segment_f1_back_ground" not in metrics
        assert metrics["segment_fwiou"] == pytest.approx(4 / 7 * 3 / 6 + 3 / 7 * 1 / 4)
        nothing = evaluate(SegmentationTask("segment", CLASSES, f1=True, fwiou=True), predictions, labels * 0 + IGNORE)
        assert np.isnan(nothing["segment_fwiou"])
        assert not {"segment_fwiou", "segment_f1_liver"} & set(SegmentationTask("segment", CLASSES).metrics(2))

    def test_batches_do_not_matter(self, task):
        predictions, labels = random_maps(5, 8, 8)
        labels[0] = 0  # images that differ much
        one, all_at_once = (evaluate(task, predictions, labels, batch_size) for batch_size in (2, 5))
        assert one == pytest.approx(all_at_once)

    @pytest.mark.parametrize("spatial", [(9, 8), (6, 5, 7)])
    def test_ignored_voxels_are_left_out_exactly(self, task, spatial):
        predictions, labels = random_maps(4, *spatial)
        cropped = evaluate(task, predictions[:, 2:], labels[:, 2:], 2)
        labels[:, :2] = IGNORE
        assert evaluate(task, predictions, labels, 2) == pytest.approx(cropped)

    def test_dice_is_monais_on_the_valid_part(self, task):
        predictions, labels = random_maps(3, 9, 8)
        dice = DiceMetric(include_background=False, num_classes=3)
        dice(predictions[:, None, 2:], labels[:, None, 2:])
        labels[:, :2] = IGNORE
        assert evaluate(task, predictions, labels)["segment_dice"] == pytest.approx(dice.aggregate().item())

    def test_dice_is_measured_on_request(self):
        assert "segment_dice" not in SegmentationTask("segment", CLASSES).metrics(2)


class TestPrepareTarget:
    @pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.float32, torch.float64])
    def test_whole_numbers_become_int64(self, task, dtype):
        labels = torch.tensor([0, 1, 2, IGNORE]).reshape(1, 1, 2, 2)
        prepared = task.prepare_target(labels.to(dtype))
        assert prepared.dtype == torch.int64
        assert torch.equal(prepared, labels)

    @pytest.mark.parametrize("value", [0.5, torch.nan])
    def test_fractions_are_refused(self, task, value):
        with pytest.raises(ValueError, match=rf"Task 'segment': labels must be whole numbers, got \[{value}\]"):
            task.prepare_target(torch.tensor([1.0, value]).reshape(1, 1, 1, 2))

    @pytest.mark.parametrize("value", [3, 254, -1])
    def test_other_labels_are_refused(self, task, value):
        with pytest.raises(ValueError, match=rf"'segment': label\(s\) \[{value}\] are neither .*\(0\.\.2\) nor .* 255"):
            task.prepare_target(torch.tensor([1, value]).reshape(1, 1, 1, 2))

    def test_one_hot_labels_are_refused(self, task):
        with pytest.raises(ValueError, match=r"'segment': labels must have one channel .* got \(1, 3, 2, 2\)"):
            task.prepare_target(torch.zeros(1, 3, 2, 2))


class TestDeclaration:
    def test_one_class_is_refused(self):
        with pytest.raises(ValueError, match=r"'segment': .* at least two classes, got \['liver'\]"):
            SegmentationTask("segment", ["liver"])

    @pytest.mark.parametrize("classes", [["a", "b", "a"], ["red ball", "red_ball"]])
    def test_class_names_must_differ(self, classes):
        with pytest.raises(ValueError, match="'segment': class names must differ"):
            SegmentationTask("segment", classes)

    def test_ignore_index_may_follow_the_classes_but_not_be_one(self):
        assert SegmentationTask("segment", CLASSES, ignore_index=3).loss().ignore_index == 3
        with pytest.raises(ValueError, match="ignore_index 2 is the class 'spleen'"):
            SegmentationTask("segment", CLASSES, ignore_index=2)

    @pytest.mark.parametrize("ignore_index", [-100, 256])
    def test_ignore_index_must_fit_8_bits(self, ignore_index):
        with pytest.raises(ValueError, match=rf"0\.\.255 .* got {ignore_index}"):
            SegmentationTask("segment", CLASSES, ignore_index=ignore_index)

    def test_the_palette_must_fit(self):
        with pytest.raises(ValueError, match=r"each of the 3 classes, got an array of shape \(2, 3\)"):
            SegmentationTask("segment", CLASSES, palette=[[0, 0, 0], [1, 1, 1]])

    @pytest.mark.parametrize(("count", "apart"), [(2, 60), (8, 20), (19, 20), (60, 10)])
    def test_default_colors_stay_apart_and_begin_with_black(self, count, apart):
        colors = list(SegmentationTask("segment", [str(i) for i in range(count)]).legend().values())
        assert len(colors) == count
        assert colors[0] == (0, 0, 0)
        lab = torch.from_numpy(rgb2lab(np.array([*colors, (255, 255, 255)]) / 255))  # white is what is missing
        assert torch.pdist(lab).min() > apart

    def test_the_loss_can_be_replaced(self):
        loss = MissingAwareSegmentationLoss(lambda_dice=1)
        assert SegmentationTask("segment", CLASSES, loss=loss).loss() is loss
        assert SegmentationTask("segment", CLASSES, ignore_index=7).loss().lambda_dice == 0

    def test_metadata_name_the_classes(self, task):
        metadata = task.metadata(spatial_dims=2)
        assert metadata["format"] == "segmentation"
        assert metadata["num_channels"] == 3
        assert metadata["channel_def"] == {"0": "back ground", "1": "liver", "2": "spleen"}


def test_postprocess_gives_the_label_map(task):
    labels = torch.tensor([[[0, 1], [2, 1]]])
    result = task.postprocess(one_hot(labels[None], num_classes=3)[0])
    assert result.dtype == torch.uint8
    assert torch.equal(result.long(), labels)


def test_draw_uses_the_palette_and_white_for_missing():
    task = SegmentationTask("segment", ["a", "b"], palette=[[1, 2, 3], [4, 5, 6]])
    picture = task.draw(torch.tensor([[[0, 1], [IGNORE, 0]]]))
    assert picture.dtype == np.uint8
    assert picture.tolist() == [[[1, 2, 3], [4, 5, 6]], [[255, 255, 255], [1, 2, 3]]]
    assert task.legend() == {"a": (1, 2, 3), "b": (4, 5, 6)}
