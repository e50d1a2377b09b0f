"""Instances made from a segmentation and a distance: from declaration to metrics, pictures and files."""

import math

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor, decollate_batch
from monai.transforms import Compose, Orientationd, Spacingd
from PIL import Image

from monai_mtunet.engines import MultiTaskEvaluator, PanelHandler
from monai_mtunet.evaluation.file_values import FileValues
from monai_mtunet.files.header import HEADER_KEY, Header, Kind
from monai_mtunet.inferers import TaskPostprocessing
from monai_mtunet.inferers.save_dense import save_dense
from monai_mtunet.losses import MultiTaskLoss
from monai_mtunet.tasks import DistanceTask, EdgeTask, InstanceTask, SegmentationTask, TaskList, draw_panel
from monai_mtunet.transforms import DistanceMapd, FillMissingTargetsd, LoadSampled

CLASSES = ["background", "cell", "brick"]


def sources():
    return [SegmentationTask("segment", CLASSES), DistanceTask("distance", signed=False, scale=2.0)]


def declare(**arguments):
    return TaskList([*sources(), InstanceTask("instances", "segment", "distance", **arguments)])


def derived(task, predictions, *others):
    """What a task makes of one sample's predictions, once it is connected with its sources."""
    TaskList([*sources(), *others, task])
    return task.derive(predictions)


def scene(dims):
    """Two touching cells, a brick beside them, a brick alone: classes and instances (1, *spatial)."""
    instances = torch.zeros(12, 24, dtype=torch.int64)
    instances[2:10, 1:9], instances[2:10, 9:16], instances[2:10, 16:20], instances[4:8, 21:24] = 5, 2, 9, 1
    classes = torch.zeros_like(instances)
    classes[(instances == 5) | (instances == 2)] = 1
    classes[(instances == 9) | (instances == 1)] = 2
    if dims == 3:
        instances, classes = (values[..., None].expand(-1, -1, 7).clone() for values in (instances, classes))
        instances[..., [0, -1]], classes[..., [0, -1]] = 0, 0
    return classes[None], instances[None]


def depth(instances):
    return DistanceMapd("instances", "distance")({"instances": instances})["distance"]


def perfect(classes, instances, task_scale=2.0):
    """Raw predictions of one sample that are right."""
    return {
        "segment": torch.nn.functional.one_hot(classes[0], len(CLASSES)).movedim(-1, 0).float(),
        "distance": depth(instances) / task_scale,
    }


class Repeat(torch.nn.Module):
    """A network that predicts what it was given."""

    def __init__(self, predictions):
        super().__init__()
        self.predictions = predictions

    def forward(self, image):
        return {name: values.clone() for name, values in self.predictions.items()}


def evaluate(tasks, predictions, targets, handlers=()):
    """Metrics of the engine, of predictions and targets by task name (N, C, *spatial), in one batch."""
    image = torch.zeros(len(targets["segment"]), 1, *targets["segment"].shape[2:])
    data = [{"image": image[i], **{name: values[i] for name, values in targets.items()}} for i in range(len(image))]
    evaluator = MultiTaskEvaluator(
        tasks=tasks,
        device=torch.device("cpu"),
        val_data_loader=torch.utils.data.DataLoader(data, batch_size=len(data)),
        network=Repeat(predictions),
        key_val_metric=tasks.metrics(image.ndim - 2, "instances_pq"),
        val_handlers=list(handlers),
    )
    evaluator.run()
    return evaluator.state.metrics


def batch_of(*samples):
    return {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}


class TestDeclaration:
    def test_it_has_neither_head_nor_loss_but_all_else(self):
        tasks = declare()
        assert tasks.names == tasks.dense_names == ("segment", "distance", "instances")
        assert tasks.out_channels == {"segment": 3, "distance": 1}
        assert tasks.out_features == {}
        assert tuple(tasks.losses()) == tasks.loss_names == ("segment", "distance")
        assert tasks.label_classes == {"segment": 3}
        assert tasks.missing_values["instances"].tolist() == [-1]
        assert "instances_pq" in tasks.metrics(2, "instances_ap")
        MultiTaskLoss(tasks.losses())
        with pytest.raises(TypeError, match="'instances' is derived from others: it has no loss"):
            tasks[2].loss()

    def test_fewer_splits_and_merges_are_better(self):
        tasks = declare()
        lower = {name for name in tasks[2].metrics(2) if tasks.metric_cmp_fn(name)(1.0, 2.0)}
        assert lower == {"instances_split", "instances_merged"}

    def test_it_can_be_left_out_but_not_selected_alone(self):
        tasks = declare()
        assert TaskList(tasks, "segment distance").names == ("segment", "distance")
        with pytest.raises(ValueError, match=r"'instances' is made from \['distance'\].*take them as well"):
            TaskList(tasks, "segment instances")
        components = InstanceTask("instances", "segment", method="components")
        assert TaskList([*tasks[:2], components], "segment instances").names == ("segment", "instances")

    def test_its_sources_must_be_declared(self):
        with pytest.raises(ValueError, match=r"made from \['segment'\], which are not among"):
            TaskList(declare()[1:])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"things": ["cell", "car"]}, r"things must be of the classes \['background', 'cell', 'brick'\]"),
            ({"things": []}, "things must be of the classes"),
            ({"method": "cut"}, r"method must be one of \('watershed', 'components'\), got 'cut'"),
            ({"method": "components"}, "uses neither distance nor edges"),
            ({"prominence": 0}, "prominence must be positive"),
            ({"smoothing": -1}, "smoothing and min_size not negative"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, arguments, message):
        with pytest.raises(ValueError, match=f"Task 'instances'.*{message}"):
            declare(**arguments)

    def test_sources_are_tasks_of_their_kind(self):
        segment, _, instances = declare()
        with pytest.raises(TypeError, match=r"'instances' is made from .*: give their names, got SegmentationTask\("):
            InstanceTask("instances", segment)
        with pytest.raises(TypeError, match="distance must be a DistanceTask, got SegmentationTask"):
            TaskList([segment, InstanceTask("instances", "segment", "segment")])
        with pytest.raises(ValueError, match="cannot be made from 'instances', which is derived"):
            TaskList([*declare(), InstanceTask("more", "instances")])
        with pytest.raises(ValueError, match="takes one distance, 'distance' has 2"):
            TaskList([segment, DistanceTask("distance", channels=2), instances])


@pytest.mark.parametrize("dims", [2, 3])
class TestMetrics:
    def test_right_predictions_are_perfect(self, dims):
        tasks, (classes, instances) = declare(), scene(dims)
        samples = [perfect(classes, instances), perfect(*(values.flip(2) for values in (classes, instances)))]
        targets = {
            "segment": torch.stack([classes, classes.flip(2)]),
            "distance": batch_of(*samples)["distance"] * 2,
            "instances": torch.stack([instances, instances.flip(2)]),
        }
        metrics = evaluate(tasks, batch_of(*samples), targets)
        for name in ("pq", "sq", "rq", "ap", "ap50", "pq_cell", "pq_brick"):
            assert metrics[f"instances_{name}"] == pytest.approx(1), name
        assert metrics["instances_split"] == metrics["instances_merged"] == 0
        assert metrics["segment_miou"] == 1

    def test_components_merge_what_touches(self, dims):
        tasks = TaskList([*sources(), InstanceTask("instances", "segment", method="components")])
        classes, instances = scene(dims)
        targets = {"segment": classes, "distance": depth(instances), "instances": instances}
        metrics = evaluate(
            tasks, batch_of(perfect(classes, instances)), {name: values[None] for name, values in targets.items()}
        )
        # Both cells are one, which has an IoU of 8/15 with the larger: one match, one missed. Bricks do not touch.
        assert metrics["instances_pq_cell"] == pytest.approx(8 / 15 / 1.5)
        assert metrics["instances_pq_brick"] == 1
        assert metrics["instances_pq"] == pytest.approx((8 / 15 / 1.5 + 1) / 2)
        assert metrics["instances_merged"] == 2
        assert metrics["instances_split"] == 0

    def test_an_instance_counts_for_its_class(self, dims):
        tasks, (classes, instances) = declare(), scene(dims)
        swapped = torch.where(classes > 0, 3 - classes, 0)
        targets = {"segment": classes[None], "distance": depth(instances)[None], "instances": instances[None]}
        metrics = evaluate(tasks, batch_of(perfect(swapped, instances)), targets)
        assert metrics["instances_pq"] == 0

    def test_classes_that_are_no_things_have_no_instances(self, dims):
        tasks, (classes, instances) = declare(things=["cell"]), scene(dims)
        prediction = perfect(classes, instances)
        assert set(tasks[2].derive(prediction).unique().tolist()) == {0, 1, 2}
        targets = {"segment": classes[None], "distance": prediction["distance"][None], "instances": instances[None]}
        metrics = evaluate(tasks, batch_of(prediction), targets)
        assert metrics["instances_pq"] == 1
        assert "instances_pq_cell" not in metrics

    def test_without_any_target_they_are_nan(self, dims):
        tasks, (classes, instances) = declare(), scene(dims)
        filled = FillMissingTargetsd(tasks)({"image": torch.zeros(1, *classes.shape[1:])})
        targets = {task.name: filled[task.name][None] for task in tasks}
        metrics = evaluate(tasks, batch_of(perfect(classes, instances)), targets)
        own = {name: value for name, value in metrics.items() if name.startswith("instances_")}
        assert len(own) == 9
        assert all(math.isnan(value) for value in own.values()), own


def test_edges_divide_where_the_distance_does_not():
    classes, instances = scene(2)
    flat = perfect(classes, instances) | {"distance": torch.full((1, 12, 24), 3.0)}
    likely = torch.full((1, 12, 24), -9.0)
    likely[..., 8:10] = 9.0
    assert derived(InstanceTask("instances", "segment", "distance"), flat).max() == 3
    task = InstanceTask("instances", "segment", "distance", "edges")
    assert derived(task, {**flat, "edges": likely}, EdgeTask("edges")).max() == 4


def test_without_a_distance_the_predicted_region_is_divided_by_its_own():
    alone = derived(InstanceTask("instances", "segment"), perfect(*scene(2)))
    assert alone.max() == 3  # the cells' common region is convex


def test_every_sample_of_a_batch_has_its_own():
    tasks, (classes, instances) = declare(), scene(2)
    predictions = batch_of(perfect(classes, instances), perfect(classes.flip(1), instances.flip(1)))
    with_derived = tasks.with_derived(predictions)
    assert list(with_derived) == ["segment", "distance", "instances"]
    assert with_derived["instances"].shape == (2, 1, 12, 24)
    assert torch.equal(with_derived["instances"][0] > 0, instances > 0)
    assert torch.equal(with_derived["instances"][1] > 0, instances.flip(1) > 0)
    assert "instances" not in predictions
    with pytest.raises(ValueError, match=r"made from \['segment', 'distance'\], but there is no prediction of"):
        tasks.with_derived({"segment": predictions["segment"]})


class TestTargets:
    @pytest.mark.parametrize(
        ("target", "message"),
        [
            (torch.zeros(1, 2, 4, 4, dtype=torch.int32), r"one channel \(B, 1, \*spatial\), got \(1, 2, 4, 4\)"),
            (torch.full((1, 1, 4, 4), -2), "the target holds -2; ids are positive, 0 is none, -1 is missing"),
            (torch.full((1, 1, 4, 4), 0.5), "ids must be integers; resample instances by nearest neighbor"),
        ],
    )
    def test_wrong_ones_are_refused(self, target, message):
        with pytest.raises(ValueError, match=f"Task 'instances'.*{message}"):
            declare()[2].prepare_target(target)

    @pytest.mark.parametrize("dtype", [torch.int16, torch.int32, torch.float32])
    def test_ids_stay_as_they_are(self, dtype):
        target = torch.tensor([-1, 0, 7, 30000], dtype=dtype).reshape(1, 1, 2, 2)
        prepared = declare()[2].prepare_target(target)
        assert prepared.dtype == torch.int64
        assert prepared.flatten().tolist() == [-1, 0, 7, 30000]


class TestPictures:
    def test_none_is_black_and_missing_is_white(self):
        ids = torch.tensor([[[0, -1, 3, 3, 60000]]])
        none, missing, first, same, second = declare()[2].draw(ids)[0].tolist()
        assert none == [0, 0, 0]
        assert missing == [255, 255, 255]
        assert first == same != none
        assert second not in (none, missing, first)

    def test_where_all_is_instance_nothing_is_black(self):
        assert declare()[2].draw(torch.tensor([[[4, 4], [4, 7]]])).max(axis=-1).min() > 0

    @pytest.mark.parametrize("dims", [2, 3])
    def test_validation_panels_show_them(self, dims, tmp_path):
        tasks, (classes, instances) = declare(), scene(dims)
        prediction = perfect(classes, instances)
        targets = {"segment": classes[None], "distance": prediction["distance"][None], "instances": instances[None]}
        evaluate(tasks, batch_of(prediction), targets, [PanelHandler(tasks, tmp_path)])
        assert Image.open(tmp_path / "epoch_0001.png").size[0] > 1000

    def test_a_panel_has_their_columns(self):
        tasks, (classes, instances) = declare(), scene(2)
        prediction = perfect(classes, instances) | {"instances": instances}
        values = {task.name: task.postprocess(prediction[task.name]) for task in tasks}
        figure = draw_panel(tasks, [torch.zeros(1, 12, 24)], [values], [{"instances": instances}])
        assert [axis.get_title() for axis in figure.axes][3:5] == ["instances", "instances: target"]


class TestFiles:
    def save(self, tmp_path, image, preprocessing, predictions):
        tasks = declare()
        batch = tasks.with_derived({name: values[None] for name, values in predictions.items()})
        (sample,) = decollate_batch({"image": MetaTensor(image)[None], "pred": batch})
        sample["image"] = image
        TaskPostprocessing(tasks, tmp_path, preprocessing)(sample)
        return tasks

    def test_of_images_they_are_ids_of_16_bits(self, tmp_path):
        classes, instances = scene(2)
        image = MetaTensor(torch.rand(1, 12, 24), meta={"filename_or_obj": "some.png"})
        self.save(tmp_path, image, None, perfect(classes, instances))
        file = Image.open(tmp_path / "some_instances.png")
        assert file.mode == "I;16"
        saved = np.asarray(file)
        assert saved.shape == (12, 24)
        assert sorted(np.unique(saved)) == [0, 1, 2, 3, 4]
        np.testing.assert_array_equal(saved > 0, instances[0] > 0)
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "some_segment.png")), classes[0])
        assert (tmp_path / "some_panel.png").is_file()

    def test_of_volumes_they_fit_the_original_image(self, tmp_path):
        original = MetaTensor(
            torch.rand(1, 6, 24, 14), affine=torch.diag(torch.tensor([-2.0, 1.0, 0.5, 1.0]).double()),
            meta={"filename_or_obj": "some.nii.gz"},
        )  # fmt: skip
        preprocessing = Compose([Orientationd("image", "RAS", labels=None), Spacingd("image", (1, 1, 1))])
        image = preprocessing({"image": original})["image"]
        classes, instances = scene(3)
        size = image.shape[1:]
        classes, instances = (values[:, : size[0], : size[1], : size[2]] for values in (classes, instances))
        self.save(tmp_path, image, preprocessing, perfect(classes, instances))
        saved = nibabel.load(tmp_path / "some_instances.nii.gz")
        ids = np.asarray(saved.dataobj)
        assert ids.shape == (6, 24, 14)
        assert ids.dtype == np.uint16
        assert set(np.unique(ids)) == {0, 1, 2, 3, 4}  # no mixtures of ids
        np.testing.assert_allclose(saved.affine, original.affine)

    @pytest.mark.parametrize(("kind", "ending"), [(Kind.NIFTI, ".nii.gz"), (Kind.PICTURE, ".npy")])
    def test_more_than_16_bits_hold_take_32(self, tmp_path, kind, ending):
        """And are read again: no number is lost."""
        dims = 2 if kind is Kind.PICTURE else 3
        ids = torch.arange(40_000, 40_000 + 30_000).reshape(1, 100, 300, *[1] * (dims - 2))
        meta = {HEADER_KEY: Header(kind, dims, "float32").to_json()}
        path = save_dense(declare()[2], declare()[2].postprocess(ids), meta, tmp_path / "some_instances")
        assert path.name == f"some_instances{ending}"
        read, _ = FileValues(dims).read(declare()[2], path, [str(path)])
        assert torch.equal(read[0], ids)
        if ending != ".npy":
            loaded = LoadSampled(["ids"], label_keys=["ids"])({"ids": str(path)})["ids"]
            assert torch.equal(loaded.as_tensor().long(), ids)


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_metadata_tells_what_they_are_made_from(spatial_dims):
    metadata = declare()[2].metadata(spatial_dims)
    assert metadata["dtype"] == "int32"
    assert metadata["channel_def"] == {"0": "ids, made from segment, distance"}
    assert metadata["spatial_shape"] == ["*"] * spatial_dims
