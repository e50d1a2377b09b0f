"""What follows from the declared tasks."""

import math

import pytest
import torch
from ignite.metrics import Metric

from monai_mtunet.losses import MissingAwareRegressionLoss, MissingAwareSegmentationLoss
from monai_mtunet.tasks import (
    BoundingBoxTask,
    ClassificationTask,
    ColorTask,
    DepthTask,
    DerivedTask,
    DistanceTask,
    EdgeTask,
    InstanceTask,
    NormalsTask,
    QuantityTask,
    RestorationTask,
    SavedAs,
    SegmentationTask,
    TaskList,
)


@pytest.fixture
def tasks():
    return TaskList([SegmentationTask("segment", ["a", "b"]), RestorationTask("denoise", channels=3)])


@pytest.fixture
def every_kind():
    """One task of every kind, two of those that have two sorts."""
    return TaskList(
        [
            RestorationTask("denoise", channels=3),
            SegmentationTask("segment", ["a", "b", "c"]),
            InstanceTask("instances", "segment", "distance"),
            ClassificationTask("classify", ["cat", "dog"]),
            BoundingBoxTask("box"),
            DepthTask("depth"),
            DepthTask("disparity", quantity="disparity"),
            NormalsTask("normals"),
            DistanceTask("distance"),
            EdgeTask("edges", ignore_index=9),
            QuantityTask("height", unit="m", draw_range=(0, 9), channels=2),
            ColorTask("color"),
        ]
    )


class Sum(DerivedTask):
    """The sum of other tasks' predictions; it tells how often it was made."""

    def __init__(self, name, *sources):
        super().__init__(name, sources)
        self.calls = 0

    def derive(self, predictions):
        self.calls += 1
        return sum(predictions[source] for source in self.sources)

    def metrics(self, spatial_dims):
        return {}

    def prepare_target(self, target):
        return target

    def postprocess(self, prediction):
        return prediction

    def draw(self, values):
        raise NotImplementedError


class TestSequence:
    def test_it_holds_the_tasks_in_declaration_order(self, tasks):
        segment, denoise = tasks
        assert len(tasks) == 2
        assert tasks[0] is segment
        assert tasks[-1] is denoise
        assert tasks[:1] == (segment,)
        assert list(tasks) == [segment, denoise]
        assert list(reversed(tasks)) == [denoise, segment]
        assert denoise in tasks
        assert tasks.index(denoise) == 1
        assert tasks.names == ("segment", "denoise")
        assert repr(tasks) == (
            "TaskList([SegmentationTask(name='segment', channels=2), RestorationTask(name='denoise', channels=3)])"
        )

    def test_it_can_be_made_of_another(self, tasks):
        assert list(TaskList(tasks)) == list(tasks)
        assert TaskList(tasks).declared.names == tasks.names


class TestOnly:
    @pytest.mark.parametrize(
        ("only", "names"),
        [
            ((), ("segment", "denoise")),
            ("", ("segment", "denoise")),
            ("denoise", ("denoise",)),
            (["denoise", "segment"], ("segment", "denoise")),
            ("denoise segment", ("segment", "denoise")),
        ],
    )
    def test_some_of_the_tasks_in_declaration_order(self, tasks, only, names):
        assert TaskList(tasks, only).names == names

    def test_all_declared_ones_stay_known(self, tasks):
        alone = TaskList(tasks, "denoise")
        assert alone.declared.names == ("segment", "denoise")
        assert alone.declared.declared is alone.declared
        assert tasks.declared is tasks
        assert TaskList(tasks, "segment denoise").declared.names == ("segment", "denoise")

    def test_all_that_follows_is_of_the_selected_ones(self, every_kind):
        some = TaskList(every_kind, "box depth")
        assert some.names == some.loss_names == tuple(some.losses()) == tuple(some.missing_values) == ("box", "depth")
        assert some.keys == ("image", "box", "depth")
        assert (some.out_channels, some.out_features) == ({"depth": 1}, {"box": 4})
        assert some.dense_names == some.depth_names == ("depth",)
        assert some.label_classes == some.image_classes == {}
        assert {name.split("_")[0] for name in some.metrics(2, "depth_abs")} == {"box", "depth"}
        assert some.declared.names == every_kind.names

    def test_an_unknown_task_is_refused(self, tasks):
        message = r"Unknown task\(s\) \['depth'\]; the declared tasks are \['segment', 'denoise'\]"
        with pytest.raises(ValueError, match=message):
            TaskList(tasks, ["depth", "segment"])


class TestDeclaration:
    @pytest.mark.parametrize("only", [(), "denoise"])
    def test_names_must_be_unique(self, tasks, only):
        with pytest.raises(ValueError, match=r"Task names must be unique; \['segment'\] occur more than once"):
            TaskList([*tasks, RestorationTask("segment", channels=1)], only)

    def test_no_task_is_refused(self):
        with pytest.raises(ValueError, match="Declare at least one task"):
            TaskList([])

    @pytest.mark.parametrize("name", ["de noise", "3d", "a.b", ""])
    def test_names_must_be_identifiers(self, name):
        with pytest.raises(ValueError, match=f"task name {name!r} must be a Python identifier"):
            RestorationTask(name, channels=1)

    @pytest.mark.parametrize("name", ["image", "panel"])
    def test_names_must_not_be_taken(self, name):
        with pytest.raises(ValueError, match=f"No task can be named {name!r}"):
            RestorationTask(name, channels=1)

    def test_a_task_needs_channels(self):
        with pytest.raises(ValueError, match="'denoise' needs at least one channel, got 0"):
            RestorationTask("denoise", channels=0)


class TestNetwork:
    def test_heads_are_in_declaration_order(self, tasks, every_kind):
        assert list(tasks.out_channels.items()) == [("segment", 2), ("denoise", 3)]
        assert tasks.out_features == {}
        assert list(every_kind.out_channels.items()) == [
            ("denoise", 3),
            ("segment", 3),
            ("depth", 1),
            ("disparity", 1),
            ("normals", 3),
            ("distance", 1),
            ("edges", 1),
            ("height", 2),
            ("color", 2),
        ]
        assert list(every_kind.out_features.items()) == [("classify", 2), ("box", 4)]

    def test_derived_tasks_are_not_predicted(self, every_kind):
        assert [task.name for task in every_kind.predicted] == [n for n in every_kind.names if n != "instances"]


class TestDerivedTasks:
    @staticmethod
    def declare(*derived):
        return TaskList([*derived, DepthTask("first"), DepthTask("second")])

    def test_they_are_made_once_per_sample_after_the_predictions_in_declaration_order(self):
        both, one = Sum("both", "first", "second"), Sum("one", "second")
        tasks = self.declare(both, one)
        first, second = torch.rand(2, 3, 1, 4, 5)
        predictions = {"second": second, "first": first}
        result = tasks.with_derived(predictions)
        assert list(result) == ["second", "first", "both", "one"]
        assert result["first"] is first
        assert result["second"] is second
        torch.testing.assert_close(result["both"], first + second)
        torch.testing.assert_close(result["one"], second)
        assert (both.calls, one.calls) == (3, 3)
        assert list(predictions) == ["second", "first"]

    def test_without_any_predictions_stay_as_they_are(self, tasks):
        predictions = {"segment": torch.rand(1, 2, 4, 4), "denoise": torch.rand(1, 3, 4, 4)}
        result = tasks.with_derived(predictions)
        assert result.keys() == predictions.keys()
        assert all(result[name] is predictions[name] for name in result)

    def test_what_a_network_predicts_for_them(self):
        tasks = self.declare(Sum("both", "second", "first"), Sum("one", "second"))
        assert tasks.needed("both") == tasks.needed(["second", "first"]) == ("first", "second")
        assert tasks.needed("one") == tasks.needed("one second") == ("second",)
        assert tasks.needed(["one", "first"]) == ("first", "second")
        assert tasks.needed("first") == ("first",)
        with pytest.raises(ValueError, match=r"Unknown task\(s\) \['third'\]; .* \['both', 'one', 'first', 'second'\]"):
            tasks.needed("one third")
        with pytest.raises(ValueError, match=r"Unknown task\(s\) \['both'\]"):
            TaskList(tasks, "first second").needed("both")

    def test_they_see_their_sources_only(self):
        seen = []

        class Looks(Sum):
            def derive(self, predictions):
                seen.append(set(predictions))
                return super().derive(predictions)

        self.declare(Looks("sum", "first")).with_derived({n: torch.rand(1, 1, 2, 2) for n in ("first", "second")})
        assert seen == [{"first"}]

    def test_a_source_without_a_prediction_is_named(self):
        tasks = self.declare(Sum("sum", "first", "second"))
        message = r"'sum' is made from \['first', 'second'\], but there is no prediction of \['first'\], only of \['sec"
        with pytest.raises(ValueError, match=message):
            tasks.with_derived({"second": torch.rand(1, 1, 2, 2)})

    def test_they_have_no_loss(self):
        tasks = self.declare(Sum("sum", "first"))
        assert tuple(tasks.losses()) == tasks.loss_names == ("first", "second")
        with pytest.raises(TypeError, match="'sum' is derived from others: it has no loss"):
            tasks[0].loss()

    def test_sources_that_are_left_out_are_named(self):
        tasks = self.declare(Sum("sum", "first", "second"))
        message = r"'sum' is made from \['second'\], which are not among \['sum', 'first'\]: take them as well"
        with pytest.raises(ValueError, match=message):
            TaskList(tasks, "sum first")
        assert TaskList(tasks, "first").names == ("first",)

    def test_sources_are_given_by_name_and_predicted(self):
        with pytest.raises(TypeError, match=r"'sum' is made from other tasks: give their names, got DepthTask\("):
            Sum("sum", DepthTask("first"))
        with pytest.raises(ValueError, match="'sums' cannot be made from 'sum', which is derived itself"):
            self.declare(Sum("sum", "first"), Sum("sums", "sum"))


class TestLearning:
    def test_every_predicted_task_has_its_loss(self, tasks, every_kind):
        losses = tasks.losses()
        assert list(losses) == ["segment", "denoise"]
        assert [type(loss) for loss in losses.values()] == [MissingAwareSegmentationLoss, MissingAwareRegressionLoss]
        assert tasks.loss_names == ("segment", "denoise")
        assert every_kind.loss_names == tuple(task.name for task in every_kind.predicted)

    def test_weights_are_those_of_the_tasks_to_train(self, every_kind):
        weights = {"box": 0.2, "segment": 0.7}
        assert list(every_kind.weights(weights).items()) == [("segment", 0.7), ("box", 0.2)]
        assert every_kind.weights({}) == {}
        assert TaskList(every_kind, "segment classify").weights(weights) == {"segment": 0.7}

    def test_weights_of_undeclared_tasks_are_refused(self, tasks):
        message = r"given for unknown task\(s\) \['boxes'\]; the declared tasks are \['segment', 'denoise'\]"
        for only in ((), "segment"):
            with pytest.raises(ValueError, match=message):
                TaskList(tasks, only).weights({"segment": 1.0, "boxes": 1.0})


class TestMetrics:
    def test_the_key_metric_comes_first(self, tasks):
        expected = {name for task in tasks for name in task.metrics(2)}
        for key_metric in ("denoise_ssim", "segment_miou"):
            metrics = tasks.metrics(spatial_dims=2, key_metric=key_metric)
            assert next(iter(metrics)) == key_metric
            assert set(metrics) == expected
            assert all(isinstance(metric, Metric) for metric in metrics.values())

    def test_an_unknown_key_metric_is_refused(self, tasks):
        with pytest.raises(ValueError, match=r"key metric 'segment_mIoU'; there are \['segment_miou', .*'denoise_psnr"):
            tasks.metrics(spatial_dims=2, key_metric="segment_mIoU")

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
    def test_of_errors_the_lowest_is_the_best(self, task):
        names = task.metrics(spatial_dims=2)
        tasks = TaskList([task])
        errors = {name for name in names if tasks.metric_cmp_fn(name)(1.0, 2.0)}
        assert errors == {f"a_{error}" for error in task.errors} & set(names)
        assert errors == {name for name in names if name.endswith(("abs", "rel", "mse", "mae", "angle", "error"))}
        for name in set(names) - errors:
            assert tasks.metric_cmp_fn(name)(2.0, 1.0)

    @pytest.mark.parametrize(("name", "better"), [("depth_abs", 0.5), ("segment_miou", 2.0)])
    def test_what_is_not_known_is_never_the_best(self, every_kind, name, better):
        beats = every_kind.metric_cmp_fn(name)
        assert beats(better, 1.0)
        assert not beats(1.0, better)
        assert not beats(1.0, 1.0)
        assert beats(1.0, math.nan)
        assert not beats(math.nan, 1.0)
        assert not beats(math.nan, math.nan)


class TestSamples:
    def test_keys(self, tasks, every_kind):
        assert tasks.keys == tasks.spatial_keys == ("image", "segment", "denoise")
        assert tasks.intensity_keys == every_kind.intensity_keys == ("image", "denoise")
        assert every_kind.keys == ("image", *every_kind.names)
        assert every_kind.spatial_keys == ("image", *every_kind.spatial_names)

    def test_what_has_a_place_in_the_image(self, every_kind):
        of_image = ("classify", "box")
        assert every_kind.dense_names == tuple(name for name in every_kind.names if name not in of_image)
        assert every_kind.spatial_names == tuple(name for name in every_kind.names if name != "classify")
        assert every_kind.box_names == ("box",)

    def test_what_flips_and_zooms_change(self, every_kind):
        assert every_kind.direction_names == ("normals",)
        assert every_kind.depth_names == ("depth",)
        assert every_kind.disparity_names == ("disparity",)

    def test_class_numbers(self, tasks, every_kind):
        assert tasks.label_classes == {"segment": 2}
        assert tasks.image_classes == {}
        assert every_kind.label_classes == {"segment": 3, "edges": 2}
        assert every_kind.image_classes == {"classify": 2}

    def test_missing_values(self, every_kind):
        missing = every_kind.missing_values
        assert tuple(missing) == every_kind.names
        numbers = {"segment": [255], "instances": [-1], "classify": [-1], "edges": [9]}
        for task in every_kind:
            values = missing[task.name]
            if task.name in numbers:
                assert values.tolist() == numbers[task.name]
                assert not values.is_floating_point()
            else:
                assert values.shape == (task.channels,)
                assert values.isnan().all()


class TestSavedAs:
    def test_every_kind_has_one_choice(self, every_kind):
        others = {
            "denoise": SavedAs.PICTURE,
            "segment": SavedAs.LABELS,
            "instances": SavedAs.IDS,
            "classify": SavedAs.JSON,
            "box": SavedAs.JSON,
        }
        for task in every_kind:
            assert task.saved_as is others.get(task.name, SavedAs.VALUES), task

    def test_dense_is_what_has_no_json(self, every_kind):
        for task in every_kind:
            assert task.is_dense == (task.saved_as is not SavedAs.JSON)
