"""Metrics of instances, worked by hand and against brute force."""

import time

import ignite.distributed as idist
import numpy as np
import pytest
import torch
from monai.metrics import PanopticQualityMetric
from scipy.ndimage import gaussian_filter
from skimage.measure import label

from monai_mtunet.metrics import InstanceAveragePrecision, InstancePanopticQuality, SplitMerge
from monai_mtunet.metrics.instance_overlap import instance_overlap
from monai_mtunet.metrics.joint_instance_metric import JointInstanceMetric

NAN = float("nan")
METRICS = (InstancePanopticQuality, InstanceAveragePrecision, SplitMerge)


def rows(*lines):
    """Images of one row, as (B, 1, 1, W)."""
    return torch.tensor(lines)[:, None, None]


def measure(metric, *batches):
    for batch in batches:
        metric.update(tuple(torch.as_tensor(values) for values in batch))
    return metric.compute().tolist()


def random_maps(generator, shape, classes=None, missing=0.0):
    """True instances from blobs, and a prediction that is a shifted and partly merged copy of them."""
    blobs = gaussian_filter(generator.normal(size=(2, *shape)), (0, *(1.2,) * len(shape)))
    target = label(blobs[0] > 0.1, connectivity=1)
    mixed = label(blobs[0] + 0.35 * blobs[1] > 0.1, connectivity=1)
    numbers = generator.permutation(5 * (mixed.max() + 1)) + 1  # with gaps
    prediction = np.where(mixed > 0, numbers[mixed], 0)
    maps = [prediction, target]
    if classes:
        for instances in (prediction, target):
            of_instance = generator.randint(0, classes, instances.max() + 1)
            noise = generator.randint(0, classes, shape)
            maps.append(
                np.where((instances > 0) & (generator.uniform(size=shape) < 0.9), of_instance[instances], noise)
            )
    if missing:
        maps[1] = np.where(gaussian_filter(generator.normal(size=shape), 3) > 0.1 / missing, -1, maps[1])
    return [torch.from_numpy(values.astype(np.int32))[None, None] for values in maps]


def brute_force(maps, num_classes, threshold=0.5):
    """TP, FP, FN and IoU per class, mask by mask, by the paper's sentences."""
    prediction, target, *classes = (values.numpy()[0, 0] for values in maps)
    void = target == -1
    counts = np.zeros((num_classes, 4))

    def objects(instances, own_classes):
        for number in np.unique(instances[instances > 0]):
            mask = instances == number
            yield mask, np.bincount(own_classes[mask]).argmax() if classes else 0

    true = list(objects(target, classes[1] if classes else None))
    matched = set()
    for mask, its_class in objects(prediction, classes[0] if classes else None):
        seen, hit = mask & ~void, False
        for index, (other, other_class) in enumerate(true):
            iou = (seen & other).sum() / (seen | other).sum()
            if iou > threshold and its_class == other_class:
                counts[its_class] += (1, 0, 0, iou)
                matched.add(index)
                hit = True
        if not hit and (mask & void).sum() <= 0.5 * mask.sum():
            counts[its_class, 1] += 1
    for index, (_, its_class) in enumerate(true):
        counts[its_class, 2] += index not in matched
    return counts


class TestPanopticQuality:
    def test_golden_values(self):
        # IoU: 1 with 5 is 3/4; 2 with 6 is 2/4, no match; 3 is one too many. So TP 1, FP 2, FN 1.
        prediction = rows([1, 1, 1, 0, 2, 2, 0, 0, 3])
        target = rows([5, 5, 5, 5, 6, 6, 6, 6, 0])
        assert measure(InstancePanopticQuality(), (prediction, target)) == pytest.approx([0.75 / 2.5, 0.75, 1 / 2.5])

    def test_counts_are_summed_before_the_quotient(self):
        perfect, empty = rows([1, 1, 2, 2]), rows([0, 0, 0, 0])
        pq = measure(InstancePanopticQuality(), (perfect, perfect), (perfect, empty), (empty, empty))
        assert pq == pytest.approx([2 / 3, 1, 2 / 3])  # the mean over images would be 1/2

    def test_an_iou_of_exactly_a_half_is_no_match(self):
        assert measure(InstancePanopticQuality(), (rows([1, 0]), rows([1, 1]))) == [0, 0, 0]

    def test_void_is_taken_off_predictions_before_they_match(self):
        # Of prediction 1, two of six voxels are known to be right, four are unknown.
        prediction, target = rows([1, 1, 1, 1, 1, 1, 0]), rows([4, 4, -1, -1, -1, -1, 0])
        assert measure(InstancePanopticQuality(), (prediction, target)) == [1, 1, 1]

    @pytest.mark.parametrize(("void", "wrong"), [(1, 1), (2, 1), (3, 0), (4, 0)])
    def test_what_lies_mostly_in_void_is_no_error(self, void, wrong):
        prediction = rows([1] * 4 + [2])
        target = rows([-1] * void + [0] * (4 - void) + [7])
        quality = 1 / (1 + wrong / 2)
        assert measure(InstancePanopticQuality(), (prediction, target)) == pytest.approx([quality, 1, quality])

    def test_a_class_is_that_of_most_voxels_and_must_agree(self):
        prediction, target = rows([1, 1, 1, 2, 2, 0]), rows([1, 1, 1, 2, 2, 0])
        classes, true_classes = rows([1, 1, 2, 2, 2, 0]), rows([1, 1, 1, 1, 1, 0])
        metric = InstancePanopticQuality(num_classes=3, average=False)
        result = measure(metric, (prediction, target, classes, true_classes))
        assert result[0] == pytest.approx([NAN, 2 / 3, 0], nan_ok=True)
        assert result[1] == pytest.approx([NAN, 1, 0], nan_ok=True)
        mean = measure(InstancePanopticQuality(num_classes=3), (prediction, target, classes, true_classes))
        assert mean == pytest.approx([1 / 3, 1 / 2, 1 / 3])  # of the two classes that have instances

    def test_an_instance_without_a_class_is_missing(self):
        prediction, target = rows([1, 1, 2, 2, 3]), rows([1, 1, 2, 2, 0])
        classes, true_classes = rows([1, 1, 1, 1, 1]), rows([255, 1, 255, 255, 255])
        assert measure(InstancePanopticQuality(num_classes=2), (prediction, target, classes, true_classes)) == [1, 1, 1]

    @pytest.mark.parametrize("shape", [(40, 37), (16, 15, 14)])
    def test_equals_monai_where_both_apply(self, shape):
        generator = np.random.RandomState(0)
        ours = InstancePanopticQuality(num_classes=1)
        theirs = PanopticQualityMetric(1, ("pq", "sq", "rq"), smooth_numerator=0)
        for _ in range(3):
            prediction, target = random_maps(generator, shape)
            foreground = (prediction > 0, target > 0)
            ours.update((prediction, target, torch.zeros_like(target), torch.zeros_like(target)))
            theirs(*(torch.cat([a, b.int()], dim=1) for a, b in zip((prediction, target), foreground, strict=True)))
        assert ours.compute().tolist() == pytest.approx([float(value) for value in theirs.aggregate()], abs=1e-5)
        assert 0.1 < ours.compute()[0] < 0.9

    @pytest.mark.parametrize("shape", [(48, 41), (18, 16, 15)])
    @pytest.mark.parametrize("missing", [0.0, 0.6])
    @pytest.mark.parametrize("num_classes", [None, 3])
    def test_equals_brute_force(self, shape, missing, num_classes):
        generator = np.random.RandomState(1)
        metric, counts = InstancePanopticQuality(num_classes, average=False), 0
        for _ in range(3):
            maps = random_maps(generator, shape, num_classes, missing)
            metric.update(maps)
            counts = counts + brute_force(maps, num_classes or 1)
        np.testing.assert_allclose(metric._counts.numpy(), counts, rtol=1e-12)
        assert (counts.sum(0) > 0).all()


class TestAveragePrecision:
    def test_golden_values(self):
        # IoU 4/5 and 3/5: up to 0.55 both match, from 0.6 to 0.75 one, from 0.8 on none (greater, not equal).
        prediction = rows([1, 1, 1, 1, 0, 2, 2, 2, 0, 0])
        target = rows([1, 1, 1, 1, 1, 2, 2, 2, 2, 2])
        scores = [1, 1] + [1 / 3] * 4 + [0] * 4
        result = measure(InstanceAveragePrecision(), (prediction, target))
        assert result == pytest.approx([sum(scores) / 10, *scores])

    def test_images_are_averaged_and_empty_ones_left_out(self):
        perfect, empty = rows([1, 1, 2, 2]), rows([0, 0, 0, 0])
        batches = ((perfect, perfect), (perfect, empty), (empty, perfect), (empty, empty))
        assert measure(InstanceAveragePrecision((0.5,)), *batches) == pytest.approx([1 / 3, 1 / 3])

    @pytest.mark.parametrize("num_classes", [None, 3])
    @pytest.mark.parametrize("missing", [0.0, 0.6])
    def test_equals_brute_force(self, num_classes, missing):
        generator = np.random.RandomState(2)
        thresholds = (0.5, 0.65, 0.9)
        metric = InstanceAveragePrecision(thresholds, num_classes, average=False)
        scores = []
        for _ in range(3):
            maps = random_maps(generator, (40, 43), num_classes, missing)
            metric.update(maps)
            counts = np.stack([brute_force(maps, num_classes or 1, threshold) for threshold in thresholds])
            scores.append(counts[..., 0] / counts[..., :3].sum(-1))
        np.testing.assert_allclose(metric.compute()[1:], np.mean(scores, axis=0), rtol=1e-6)

    @pytest.mark.parametrize("thresholds", [(), (0.4,), (0.5, 1.0)])
    def test_thresholds_that_allow_two_matches_are_refused(self, thresholds):
        with pytest.raises(ValueError, match=r"at least 0\.5 and below 1"):
            InstanceAveragePrecision(thresholds)


class TestSplitMerge:
    @pytest.mark.parametrize(
        ("prediction", "target", "expected"),
        [
            ([1, 1, 1, 1, 0], [5, 5, 5, 5, 0], [0, 0]),
            ([1, 1, 2, 2, 0], [5, 5, 5, 5, 0], [1, 0]),
            ([1, 2, 3, 4, 0], [5, 5, 5, 5, 0], [1, 0]),  # an object is split once, into however many
            ([1, 1, 2, 2, 2], [5, 5, 5, 0, 0], [0, 0]),  # 2 lies mostly in the background
            ([1, 2, 0, 0, 0], [5, 5, 5, 5, 0], [0, 0]),  # the two cover but half
            ([1, 1, 1, 1, 0], [5, 5, 6, 6, 0], [0, 2]),
            ([1, 1, 1, 1, 1], [5, 5, 6, 7, 0], [0, 3]),
            ([1, 1, 1, 1, 1], [5, 5, 0, 0, 0], [0, 0]),
            ([1, 1, 1, 1, 1], [5, 0, 0, 0, 6], [0, 0]),  # the two are but a small part of it
            ([0, 0, 0, 0, 0], [5, 5, 6, 6, 0], [0, 0]),  # missed
            ([1, 1, 2, 2, 2], [5, 5, 5, -1, -1], [1, 0]),  # of 2 one voxel is known, in 5
        ],
    )
    def test_golden_values(self, prediction, target, expected):
        assert measure(SplitMerge(), (rows(prediction), rows(target))) == expected

    def test_per_image_and_relative(self):
        split = (rows([1, 2, 3, 3], [1, 1, 2, 2]), rows([5, 5, 6, 6], [5, 5, 6, 6]))
        merged = (rows([1, 1, 1, 1]), rows([5, 5, 6, 6]))
        assert measure(SplitMerge(), split, merged) == pytest.approx([1 / 3, 2 / 3])
        assert measure(SplitMerge(relative=True), split, merged) == pytest.approx([1 / 6, 2 / 6])

    def test_prediction_and_target_change_places(self):
        """What is split one way is merged the other way: as many parts, counted where they are objects."""
        generator = np.random.RandomState(3)
        found = np.zeros(2)
        for _ in range(20):
            prediction, target = random_maps(generator, (30, 30))
            split, merged = measure(SplitMerge(0.75), (prediction, target))
            split_back, merged_back = measure(SplitMerge(0.75), (target, prediction))
            assert (split > 0) == (merged_back > 0)
            assert (merged > 0) == (split_back > 0)
            assert merged_back >= 2 * split
            assert merged >= 2 * split_back
            found += split, merged
        assert (found > 0).all()

    @pytest.mark.parametrize("tolerance", [0.5, 1.01])
    def test_tolerances_under_which_a_part_has_two_wholes_are_refused(self, tolerance):
        with pytest.raises(ValueError, match=r"above 0\.5 and at most 1"):
            SplitMerge(tolerance)


@pytest.mark.parametrize("metric", METRICS)
class TestAll:
    @pytest.mark.parametrize("shape", [(32, 33), (12, 13, 14)])
    def test_a_perfect_prediction_under_other_numbers(self, metric, shape):
        target = random_maps(np.random.RandomState(4), shape)[1]
        prediction = torch.where(target > 0, 70000 - 3 * target, 0)
        good = 0 if metric is SplitMerge else 1
        assert set(measure(metric(), (prediction, target))) == {good}

    def test_numbers_do_not_matter(self, metric):
        generator = np.random.RandomState(5)
        maps = random_maps(generator, (32, 33), classes=3, missing=0.5)
        renumbered = list(maps)
        for i in (0, 1):
            numbers = torch.from_numpy(generator.permutation(int(maps[i].max()) * 7) + 1)
            renumbered[i] = torch.where(maps[i] > 0, numbers[maps[i].clamp(min=0).long()].int(), maps[i])
        assert measure(metric(num_classes=3), renumbered) == measure(metric(num_classes=3), maps)
        assert measure(metric(), renumbered[:2]) == measure(metric(), maps[:2])

    def test_batches_do_not_matter(self, metric):
        generator = np.random.RandomState(6)
        images = [random_maps(generator, (20, 22)) for _ in range(3)]
        together = [torch.cat(values) for values in zip(*images, strict=True)]
        assert measure(metric(), together) == pytest.approx(measure(metric(), *images), nan_ok=True)

    def test_counts_are_summed_over_ranks(self, metric, monkeypatch):
        generator = np.random.RandomState(8)
        images = [random_maps(generator, (20, 22)) for _ in range(2)]
        this, other = metric(), metric()
        this.update(images[0])
        other.update(images[1])
        monkeypatch.setattr(idist, "get_world_size", lambda: 2)
        monkeypatch.setattr(idist, "all_reduce", lambda counts: counts + other._counts)
        figures = this.compute().tolist()
        monkeypatch.undo()
        assert figures == pytest.approx(measure(metric(), *images))
        assert figures != pytest.approx(measure(metric(), images[0]))

    def test_without_a_target_nothing_is_claimed(self, metric):
        missing, nothing = rows([-1, -1, -1]), rows([0, 0, 0])
        assert all(np.isnan(measure(metric(), (rows([1, 1, 0]), missing))))
        assert all(np.isnan(measure(metric(), (nothing, nothing))))
        assert all(np.isnan(metric().compute().tolist()))
        # Images without a target change nothing.
        known = (rows([1, 2, 3, 3]), rows([1, 1, 2, 2]))
        without = (rows([1, 1, 0, 0]), rows([-1, -1, -1, -1]))
        assert measure(metric(), known, without) == measure(metric(), known)
        assert max(measure(metric(), known)) > 0

    def test_missing_classes_leave_an_image_out(self, metric):
        maps = (rows([1, 1, 0]), rows([0, 0, 0]), rows([1, 1, 0]), rows([255, 255, 255]))
        assert all(np.isnan(measure(metric(num_classes=2), maps)))

    def test_state_is_saved(self, metric):
        maps = random_maps(np.random.RandomState(7), (20, 22))
        one, other = metric(), metric()
        expected = measure(one, maps)
        other.load_state_dict(one.state_dict())
        assert other.compute().tolist() == expected

    def test_bad_input(self, metric):
        good = rows([1, 0])
        for maps, match in (
            ((good, good, good), "Expected predicted instances, true instances, got 3 maps"),
            ((good, rows([1, 0, 0])), r"all of one shape, got \(1, 1, 1, 2\), \(1, 1, 1, 3\)"),
            ((good[0, 0], good[0, 0]), r"must be \(B, 1, \*spatial\)"),
            ((good.float(), good), "predicted instances are float32, .*CastToTyped"),
            ((rows([-1, 0]), good), "predicted instances hold -1"),
            ((good, rows([-2, 0])), "true instances hold -2"),
        ):
            with pytest.raises(ValueError, match=match):
                metric().update(maps)
        for maps, match in (
            ((good, good), "Expected predicted instances, .*, true classes, got 2 maps"),
            ((good, good, rows([2, 0]), good), "predicted classes hold 2; .* num_classes, 2"),
            ((good, good, rows([255, 0]), good), "predicted classes hold 255"),
            ((good, good, good, rows([3, 0])), "true classes hold 3"),
        ):
            with pytest.raises(ValueError, match=match):
                metric(num_classes=2).update(maps)
        with pytest.raises(ValueError, match="num_classes must be 1 or more, got 0"):
            metric(num_classes=0)


def test_metrics_that_look_once_give_the_figures_of_each():
    generator = np.random.RandomState(9)
    images = [random_maps(generator, (20, 22), classes=3) for _ in range(2)]
    for average in (True, False):
        parts = [metric(num_classes=3, average=average) for metric in METRICS]
        joint = measure(JointInstanceMetric(parts), *images)
        alone = [figure for metric in METRICS for figure in measure(metric(num_classes=3, average=average), *images)]
        torch.testing.assert_close(torch.tensor(joint), torch.tensor(alone), equal_nan=True)
    with pytest.raises(ValueError, match="must have the same classes"):
        JointInstanceMetric([SplitMerge(), SplitMerge(num_classes=2)])


def test_thousands_of_instances_are_fast():
    """5,000 squares of 8 x 8, shifted: masks of the whole image would take gigabytes."""
    y, x = np.indices((560, 576))
    target = (y // 8) * 72 + x // 8 + 1
    prediction = np.roll(target, 2, axis=1)
    start = time.perf_counter()
    overlap = instance_overlap([prediction, target])
    assert time.perf_counter() - start < 2
    assert len(overlap.true_size) == 5040
    assert np.isclose(overlap.iou(), 48 / 80).sum() == 5040
