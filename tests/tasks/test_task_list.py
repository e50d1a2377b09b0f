import pytest

import monai_mtunet
from monai_mtunet.losses import MissingAwareSegmentationLoss, MissingAwareRegressionLoss
from monai_mtunet.tasks import (
    BoundingBoxTask,
    ClassificationTask,
    DepthTask,
    DistanceTask,
    NormalsTask,
    RestorationTask,
    SegmentationTask,
    spatial_names,
    task_weights,
)


@pytest.fixture
def tasks():
    return [SegmentationTask("segment", ["a", "b"]), RestorationTask("denoise", channels=3)]


def test_everything_is_in_declaration_order(tasks):
    assert monai_mtunet.task_names(tasks) == ["segment", "denoise"]
    assert list(monai_mtunet.out_channels(tasks).items()) == [("segment", 2), ("denoise", 3)]
    losses = monai_mtunet.task_losses(tasks)
    assert list(losses) == ["segment", "denoise"]
    assert [type(loss) for loss in losses.values()] == [MissingAwareSegmentationLoss, MissingAwareRegressionLoss]


def test_the_key_metric_comes_first(tasks):
    expected = {name for task in tasks for name in task.metrics(2)}
    for key_metric in ("denoise_ssim", "segment_miou"):
        metrics = list(monai_mtunet.task_metrics(tasks, spatial_dims=2, key_metric=key_metric))
        assert metrics[0] == key_metric
        assert set(metrics) == expected
        assert len(metrics) == len(expected)


@pytest.mark.parametrize(
    "task",
    [
        SegmentationTask("a", ["x", "y"], dice=True),
        RestorationTask("a", channels=1),
        RestorationTask("a", channels=1, clean_target=False),
        DepthTask("a"),
        DistanceTask("a"),
        NormalsTask("a"),
        ClassificationTask("a", [str(i) for i in range(7)]),
    ],
    ids=lambda task: type(task).__name__,
)
def test_of_errors_the_lowest_is_the_best(task):
    names = task.metrics(spatial_dims=2)
    errors = {name for name in names if monai_mtunet.metric_cmp_fn([task], name)(1.0, 2.0)}
    assert errors == {f"a_{error}" for error in task.errors} & set(names)
    assert errors == {name for name in names if name.endswith(("abs", "rel", "mse", "mae", "angle", "error"))}
    for name in set(names) - errors:
        assert monai_mtunet.metric_cmp_fn([task], name)(2.0, 1.0)


def test_an_unknown_key_metric_is_refused(tasks):
    with pytest.raises(ValueError, match=r"key metric 'segment_mIoU'; there are \['segment_miou', .*'denoise_psnr'"):
        monai_mtunet.task_metrics(tasks, spatial_dims=2, key_metric="segment_mIoU")


def test_names_must_be_unique(tasks):
    twice = [*tasks, RestorationTask("segment", channels=1)]
    for derive in (monai_mtunet.task_names, monai_mtunet.out_channels, monai_mtunet.task_losses):
        with pytest.raises(ValueError, match=r"must be unique; \['segment'\]"):
            derive(twice)
    with pytest.raises(ValueError, match=r"must be unique; \['segment'\]"):
        monai_mtunet.task_metrics(twice, 2, "segment_miou")


def test_no_task_is_refused():
    with pytest.raises(ValueError, match="at least one task"):
        monai_mtunet.task_names([])


@pytest.mark.parametrize("name", ["de noise", "3d", "a.b", ""])
def test_names_must_be_identifiers(name):
    with pytest.raises(ValueError, match=f"task name {name!r} must be a Python identifier"):
        RestorationTask(name, channels=1)


@pytest.mark.parametrize("name", ["image", "panel"])
def test_names_must_not_be_taken(name):
    with pytest.raises(ValueError, match=f"No task can be named {name!r}"):
        RestorationTask(name, channels=1)


def test_a_task_needs_channels():
    with pytest.raises(ValueError, match="'denoise' needs at least one channel, got 0"):
        RestorationTask("denoise", channels=0)


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ((), ["segment", "denoise"]),
        ("", ["segment", "denoise"]),
        ("denoise", ["denoise"]),
        (["denoise", "segment"], ["segment", "denoise"]),
        ("denoise segment", ["segment", "denoise"]),
    ],
)
def test_some_of_the_tasks_in_declaration_order(tasks, only, names):
    assert [task.name for task in monai_mtunet.select_tasks(tasks, only)] == names


def test_selecting_an_unknown_task_names_the_declared_ones(tasks):
    with pytest.raises(ValueError, match=r"'depth'.*the declared tasks are .*'segment', 'denoise'"):
        monai_mtunet.select_tasks(tasks, ["depth", "segment"])


def test_only_label_maps_have_classes(tasks):
    assert monai_mtunet.label_classes(tasks) == {"segment": 2}


def test_spatial_names_and_weights_follow_from_the_tasks():
    tasks = [
        SegmentationTask("segment", ["a", "b"]),
        ClassificationTask("classify", ["a", "b"]),
        BoundingBoxTask("box"),
    ]
    assert spatial_names(tasks) == ["segment", "box"]
    assert task_weights(tasks, [], {"segment": 0.7, "box": 0.2}) == {"segment": 0.7, "box": 0.2}
    assert task_weights(tasks, "segment classify", {"segment": 0.7, "box": 0.2}) == {"segment": 0.7}
    with pytest.raises(ValueError, match=r"unknown task\(s\) \['boxes'\]; the declared tasks are \['segment', 'cl"):
        task_weights(tasks, "segment", {"boxes": 1.0})
