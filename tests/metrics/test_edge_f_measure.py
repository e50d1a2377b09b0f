import pytest
import torch
from scipy.ndimage import distance_transform_edt

from monai_mtunet.metrics import EdgeFMeasure


def measure(probabilities, labels, tolerance=2.0):
    metric = EdgeFMeasure(tolerance)
    metric.update((torch.as_tensor(probabilities), torch.as_tensor(labels)))
    return metric.compute().tolist()


def by_distances(probabilities, labels, tolerance):
    """The same from distance maps, threshold by threshold."""
    best = (0.0, 0.0, 0.0)
    for threshold in range(1, 100):
        counts = torch.zeros(4)
        for p, t in zip(probabilities, labels, strict=True):
            predicted, true = (p >= threshold / 100).numpy(), (t == 1).numpy()
            right = predicted & (distance_transform_edt(~true) <= tolerance) if true.any() else predicted & False
            found = true & (distance_transform_edt(~predicted) <= tolerance) if predicted.any() else true & False
            counts += torch.tensor([predicted.sum(), right.sum(), true.sum(), found.sum()])
        predicted, right, true, found = counts.tolist()
        precision, recall = right / max(predicted, 1), found / true
        f_measure = 2 * precision * recall / max(precision + recall, 1e-9)
        best = max(best, (f_measure, precision, recall), key=lambda values: values[0])
    return best


@pytest.mark.parametrize("shape", [(2, 12, 9), (2, 6, 5, 4)])
@pytest.mark.parametrize("tolerance", [0, 1, 1.5, 2])
def test_equals_matching_by_distance_maps(shape, tolerance):
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.rand(shape, generator=generator) ** 4
    labels = (torch.rand(shape, generator=generator) < 0.05).long()
    assert measure(probabilities, labels, tolerance) == pytest.approx(by_distances(probabilities, labels, tolerance))


class TestALineBesideTheEdge:
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    labels[:, :, 3] = 1

    @pytest.mark.parametrize(("offset", "tolerance", "expected"), [(0, 0, 1), (1, 0, 0), (1, 1, 1), (2, 1, 0)])
    def test_counts_within_the_tolerance(self, offset, tolerance, expected):
        probabilities = torch.zeros(1, 8, 8)
        probabilities[:, :, 3 + offset] = 0.7
        assert measure(probabilities, self.labels, tolerance) == [expected] * 3

    def test_half_a_line_has_half_the_recall_and_full_precision(self):
        probabilities = torch.zeros(1, 8, 8)
        probabilities[:, :4, 3] = 0.7
        assert measure(probabilities, self.labels, 0) == pytest.approx([2 / 3, 1, 0.5])

    def test_a_second_line_halves_the_precision(self):
        probabilities = torch.zeros(1, 8, 8)
        probabilities[:, :, [3, 7]] = 0.7
        assert measure(probabilities, self.labels, 1) == pytest.approx([2 / 3, 0.5, 1])

    def test_missing_voxels_do_not_count(self):
        labels = self.labels.clone()
        labels[:, :, 6:] = 255
        probabilities = torch.zeros(1, 8, 8)
        probabilities[:, :, [3, 7]] = 0.7
        assert measure(probabilities, labels, 1) == [1, 1, 1]
        only_missing = torch.zeros(1, 8, 8)
        only_missing[:, :, 6] = 0.7
        assert measure(only_missing, labels, 4) == [0, 0, 0]  # nothing there finds the edge either


def test_one_threshold_serves_all_images():
    # Each image alone has a perfect threshold, below 0.3 and above 0.6; no threshold suits both.
    labels = torch.zeros(2, 1, 6, dtype=torch.long)
    labels[:, 0, 0] = 1
    probabilities = torch.tensor([[[0.3, 0, 0, 0, 0, 0]], [[0.9, 0, 0, 0.6, 0.6, 0.6]]])
    together = EdgeFMeasure(1)
    for i in range(2):
        assert measure(probabilities[i : i + 1], labels[i : i + 1], 1) == [1, 1, 1]
        together.update((probabilities[i : i + 1], labels[i : i + 1]))
    assert together.compute().tolist() == pytest.approx([2 / 3, 1, 0.5])


def test_a_prediction_of_nan_finds_nothing():
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    labels[0, 1] = 1
    assert measure(torch.full((1, 4, 4), torch.nan), labels) == [0, 0, 0]


def test_without_true_edges_nothing_is_claimed():
    assert torch.tensor(measure(torch.rand(1, 4, 4), torch.zeros(1, 4, 4, dtype=torch.long))).isnan().all()
    assert torch.tensor(measure(torch.rand(1, 4, 4), torch.full((1, 4, 4), 255))).isnan().all()


def test_a_negative_tolerance_is_refused():
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        EdgeFMeasure(-1)
