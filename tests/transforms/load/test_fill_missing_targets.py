"""Samples that lack targets: filled by the convention, in any order of a batch, and of no influence on the others."""

import itertools
import json

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import CacheDataset, DataLoader, MetaTensor
from monai.transforms import Compose, CopyItemsd, MapLabelValued, RandFlipd, RandSpatialCropd
from PIL import Image

from monai_mtunet.engines import MultiTaskPrepareBatch
from monai_mtunet.tasks import ClassificationTask, RestorationTask, SegmentationTask, TaskList
from monai_mtunet.transforms import CheckSampled, FillMissingTargetsd, LoadSampled

SEGMENT = SegmentationTask("segment", ["a", "b", "c"], dice=True)
TASKS = TaskList([RestorationTask("denoise", channels=3), SEGMENT])
NAMES = ["denoise", "segment"]
FILL = FillMissingTargetsd(TASKS)


def test_missing_voxels_follow_from_the_tasks():
    voxels = TaskList([*TASKS, SegmentationTask("other", ["a", "b"], ignore_index=9)]).missing_values
    assert {name: (voxel.dtype, len(voxel)) for name, voxel in voxels.items()} == {
        "denoise": (torch.float32, 3),
        "segment": (torch.int16, 1),
        "other": (torch.int16, 1),
    }
    assert voxels["denoise"].isnan().all()
    assert (voxels["segment"].item(), voxels["other"].item()) == (255, 9)


@pytest.mark.parametrize("size", [(8, 6), (8, 6, 4)])
@pytest.mark.parametrize("absent", [{}, dict.fromkeys(NAMES)])
def test_fills_with_the_images_size_type_and_affine(size, absent):
    affine = torch.diag(torch.tensor([2.0, 1.0, 3.0, 1.0], dtype=torch.float64))
    image = MetaTensor(torch.rand(3, *size), affine=affine, meta={"filename_or_obj": "a.nii"})
    filled = FILL({"image": image, **absent})
    assert filled["image"] is image
    assert filled["denoise"].shape == (3, *size)
    assert filled["denoise"].isnan().all()
    assert filled["segment"].shape == (1, *size)
    assert filled["segment"].dtype == torch.int16
    assert filled["segment"].unique().tolist() == [255]
    for name in NAMES:
        assert type(filled[name]) is MetaTensor
        assert torch.equal(filled[name].affine, image.affine)
        assert filled[name].meta["filename_or_obj"] == "a.nii"
    filled["segment"][0, 0, 0] = 1  # memory of its own
    assert (filled["segment"] == 255).sum() == filled["segment"].numel() - (1 if len(size) == 2 else size[2])


def test_plain_tensors_stay_plain_and_what_is_there_stays():
    labels = torch.ones(1, 8, 6, dtype=torch.int16)
    filled = FILL({"image": torch.rand(3, 8, 6), "segment": labels})
    assert filled["segment"] is labels
    assert type(filled["denoise"]) is torch.Tensor


def test_only_active_tasks_are_filled():
    filled = FillMissingTargetsd(TaskList(list(TASKS), only="segment"))({"image": torch.rand(3, 8, 6)})
    assert set(filled) == {"image", "segment"}


def test_plain_numbers_become_tensors_of_the_filled_ones_type():
    fill = FillMissingTargetsd(TaskList([ClassificationTask("classify", ["cat", "dog"])]))
    samples = [fill({"image": torch.rand(3, 8, 6), **sample}) for sample in ({"classify": 1}, {}, {"classify": None})]
    assert [sample["classify"].tolist() for sample in samples] == [[1], [-1], [-1]]
    assert len({sample["classify"].dtype for sample in samples}) == 1


def test_errors_name_the_key():
    with pytest.raises(ValueError, match="denoise cannot be filled: the sample has no 'image', only"):
        FILL({"segment": torch.ones(1, 8, 6)})


@pytest.fixture(params=[".png", ".nii.gz"])
def files(request, tmp_path):
    """Four pairs in files, as images or volumes."""
    rng, pairs = np.random.default_rng(0), []
    for i in range(4):
        pair = {key: tmp_path / f"{key}{i}{request.param}" for key in ("image", "segment")}
        if request.param == ".png":
            Image.fromarray(rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)).save(pair["image"])
            Image.fromarray(rng.integers(0, 3, (12, 10), dtype=np.uint8)).save(pair["segment"])
        else:
            affine = np.diag([1.0, 2.0, 3.0, 1.0])
            nib.save(nib.Nifti1Image(rng.random((12, 10, 6)).astype(np.float32), affine), pair["image"])
            nib.save(nib.Nifti1Image(rng.integers(0, 3, (12, 10, 6)).astype(np.uint8), affine), pair["segment"])
        pairs.append({key: str(path) for key, path in pair.items()})
    return pairs


def pipeline(dims, channels, crop=8):
    tasks = TaskList([RestorationTask("denoise", channels), SEGMENT])
    return tasks, Compose(
        [
            LoadSampled(tasks=tasks, optional_files="segment"),
            MapLabelValued("segment", [0, 1, 2], [2, 1, 0], dtype=torch.int16, allow_missing_keys=True),
            CopyItemsd("image", names="denoise"),
            FillMissingTargetsd(tasks),
            CheckSampled(dims, tasks=tasks),
            RandSpatialCropd(["image", "denoise", "segment"], [crop] * 2 + [4] * (dims - 2), random_size=False),
            RandFlipd(["image", "denoise", "segment"], prob=0.5, spatial_axis=0),
        ]
    )


def without_labels(pair, how):
    lacking = dict(pair)
    if how == "absent":
        del lacking["segment"]
    elif how == "null":
        lacking = json.loads(json.dumps({**pair, "segment": None}))
    elif how == "file":
        lacking["segment"] = "absent/labels.png"
    return lacking


@pytest.mark.parametrize("hows", [("absent",) * 4, ("null",) * 4, ("absent", "null", "file", "null")])
def test_any_order_of_labeled_and_unlabeled_samples_can_be_loaded_cached_and_collated(files, hows):
    dims, channels = (2, 3) if files[0]["image"].endswith("png") else (3, 1)
    tasks, preprocessing = pipeline(dims, channels)
    for labeled in itertools.product([True, False], repeat=4):
        pairs = [
            pair if keep else without_labels(pair, how) for pair, keep, how in zip(files, labeled, hows, strict=True)
        ]
        loader = DataLoader(CacheDataset(pairs, preprocessing, progress=False), batch_size=4)
        (batch,) = loader
        _, targets = MultiTaskPrepareBatch(tasks)(batch)
        assert [bool((target != 255).all()) for target in targets["segment"]] == list(labeled)
        assert [bool((target != 255).any()) for target in targets["segment"]] == list(labeled)
        assert not targets["denoise"].isnan().any()
        assert [len(target.applied_operations) for target in batch["segment"]] == [2] * 4  # as the image, to invert


def test_missing_samples_change_neither_the_loss_nor_the_metrics_of_the_others():
    torch.manual_seed(0)
    predictions = {"denoise": torch.randn(3, 3, 16, 16), "segment": torch.randn(3, 3, 16, 16)}
    samples = [{"image": torch.rand(3, 16, 16)} for _ in range(3)]
    for sample in samples[:2]:
        sample |= {"denoise": torch.rand(3, 16, 16), "segment": torch.randint(0, 3, (1, 16, 16), dtype=torch.int16)}

    def results(count):
        (batch,) = DataLoader([FILL(sample) for sample in samples[:count]], batch_size=3)
        image, targets = MultiTaskPrepareBatch(TASKS)(batch)
        values = {}
        for name, loss in TASKS.losses().items():
            prediction = predictions[name][:count].clone().requires_grad_()
            value = loss(prediction, targets[name])
            value.backward()
            values[f"loss_{name}"] = value.item()
            assert not prediction.grad.isnan().any()
            assert (prediction.grad[2:] == 0).all()
        output = {"image": image, "pred": {k: v[:count] for k, v in predictions.items()}, "label": targets}
        for name, metric in TASKS.metrics(2, "segment_dice").items():
            values[name] = measured(metric, output)
        return values

    assert results(3) == pytest.approx(results(2), rel=1e-5)


def measured(metric, output):
    """What an evaluator with this metric reports for one batch."""
    from ignite.engine import Engine

    engine = Engine(lambda engine, batch: output)
    metric.attach(engine, "metric")
    return float(engine.run([0]).metrics["metric"])


def test_without_any_target_no_metric_claims_a_result_and_losses_are_zero():
    image = torch.rand(2, 3, 16, 16)
    (batch,) = DataLoader([FILL({"image": x}) for x in image], batch_size=2)
    _, targets = MultiTaskPrepareBatch(TASKS)(batch)
    predictions = {"denoise": torch.rand(2, 3, 16, 16), "segment": torch.rand(2, 3, 16, 16)}
    for name, metric in TASKS.metrics(2, "segment_dice").items():
        assert np.isnan(measured(metric, {"image": image, "pred": predictions, "label": targets})), name
    for name, loss in TASKS.losses().items():
        prediction = predictions[name].requires_grad_()
        value = loss(prediction, targets[name])
        value.backward()
        assert value == 0
        assert (prediction.grad == 0).all()
    for task in TASKS:
        picture = task.draw(task.values_of_target(targets[task.name][0]))
        assert (picture == 255).all()  # an empty, white column of the panel
