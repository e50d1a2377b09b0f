"""Files are measured as validation measures, each image and all, and what cannot be measured is told."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel as nib
import numpy as np
import psutil
import pytest
import torch
from monai.bundle import run
from monai.transforms import Compose, ScaleIntensityd
from numpy.typing import NDArray
from PIL import Image

from monai_mtunet.commands.app import main
from monai_mtunet.data import SSTEM
from monai_mtunet.evaluation.evaluate import Evaluation, evaluate_predictions
from monai_mtunet.evaluation.file_values import FileValues
from monai_mtunet.evaluation.report import prepare_folder, summary, write_reports
from monai_mtunet.tasks import (
    BoundingBoxTask,
    ClassificationTask,
    InstanceTask,
    NormalsTask,
    QuantityTask,
    RestorationTask,
    SegmentationTask,
    TaskList,
)
from monai_mtunet.transforms import ColorsToClassesd

from ..bundles.bundle_under_test import BundleUnderTest

SEGMENT = SegmentationTask("segment", ["background", "cell"], dice=True)
UMC = BundleUnderTest("umc")


def save(path: Path, values: NDArray[Any], affine: Any = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        Image.fromarray(values.astype(np.uint8)).save(path)
    elif path.suffix == ".npy":
        np.save(path, values)
    else:
        nib.save(nib.Nifti1Image(values, np.eye(4) if affine is None else affine), path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two label maps that are predicted, one rightly and one with a wrong half."""
    right = np.zeros((8, 10))
    right[2:6, 2:8] = 1
    wrong = right.copy()
    wrong[:, 5:] = 0
    for name, predicted in (("a", right), ("sub/b", wrong)):
        save(tmp_path / "true" / f"{name}_segment.png", right)
        save(tmp_path / "out" / f"{name}_segment.png", predicted)
    return tmp_path


def test_label_maps_that_do_not_fit_into_memory_are_measured_in_parts(tmp_path, monkeypatch):
    """With the values of the whole, of each image and of all; one image fits, two do not."""
    rng, affine = np.random.default_rng(0), np.diag([1.0, 2, 3, 1])
    for name, size in (("small", (3, 4, 5)), ("large", (20, 11, 9)), ("sub/empty", (20, 11, 9))):
        target = rng.choice([0, 1, 2, 255], size) * (name != "sub/empty")
        predicted = np.where(rng.random(size) < 0.3, rng.integers(0, 3, size), target % 255)
        save(tmp_path / "true" / f"{name}_segment.nii.gz", target.astype(np.uint8), affine)
        save(tmp_path / "out" / f"{name}_segment.nii.gz", predicted.astype(np.uint8), affine)
    task = SegmentationTask("segment", ["background", "cell", "wall"], dice=True, f1=True, fwiou=True)
    whole = evaluate(tmp_path, [task], dims=3)
    assert len(whole.cases) == 3
    per_voxel = 4 * (2 * 3 + 6)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2.5 * 11 * 9 * per_voxel))
    read = FileValues.parts
    parts = []
    monkeypatch.setattr(FileValues, "parts", lambda *given: (parts.append(pair) or pair for pair in read(*given)))
    result = evaluate(tmp_path, [task], dims=3)
    assert result.is_complete
    assert len(parts) == 2 * 2 * 20  # two images, read twice, plane by plane
    assert list(result.metrics) == list(whole.metrics)
    assert result.metrics == pytest.approx(whole.metrics, nan_ok=True)
    for name, values in whole.cases.items():
        assert result.cases[name] == pytest.approx(values, nan_ok=True)


def test_what_cannot_be_measured_in_parts_fails_before_it_is_read(tmp_path, monkeypatch):
    for where in ("true", "out"):
        save(tmp_path / where / "a_depth.npy", np.ones((8, 10), np.float32))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=8 * 10 * 4 * 8 - 1))
    result = evaluate(tmp_path, [QuantityTask("depth", "m", (0, 9))])
    assert not result.cases
    assert "a_depth.npy takes 2.56e-06 GB" in result.failed["a, depth"]


def evaluate(folder: Path, tasks: Any = (SEGMENT,), dims: int = 2, **arguments: Any) -> Any:
    targets = arguments.pop("targets", [str(folder / "true")])
    return evaluate_predictions(folder / "out", targets, TaskList(tasks), dims, **arguments)


def write(found: Evaluation, report: Path) -> None:
    prepare_folder(report)
    write_reports(found, report)


def test_each_image_and_all_of_them(folder: Path) -> None:
    found = evaluate(folder)
    assert found.is_complete
    assert found.cases["a"] == pytest.approx(dict.fromkeys(found.metrics, 1.0))
    assert found.cases["sub/b"]["segment_iou_cell"] == pytest.approx(12 / 24)
    assert found.metrics["segment_iou_cell"] == pytest.approx((24 + 12) / 48)  # of summed counts
    assert found.metrics["segment_dice"] == pytest.approx((1 + 2 / 3) / 2)  # mean over images


def test_reports_tell_all_and_the_worst_image_first(folder: Path) -> None:
    found = evaluate(folder)
    write(found, folder / "report")
    metrics = {name: float(value) for name, value in csv.reader((folder / "report" / "metrics.csv").open())}
    assert metrics == found.metrics
    header, *rows = csv.reader((folder / "report" / "cases.csv").open())
    assert header == ["image", *found.metrics]
    assert [row[0] for row in rows] == ["sub/b", "a"]
    content = json.loads((folder / "report" / "evaluation.json").read_text())
    assert content["metrics"] == found.metrics
    assert list(content["cases"]) == ["a", "sub/b"]
    assert summary(found).splitlines()[0] == "2 image(s)"


def test_what_is_missing_or_does_not_fit_is_listed_and_the_rest_measured(folder: Path) -> None:
    save(folder / "out" / "only_predicted_segment.png", np.zeros((8, 10)))
    save(folder / "true" / "only_true_segment.png", np.zeros((8, 10)))
    for name, shape in (("size", (8, 9)), ("classes", (8, 10))):
        save(folder / "out" / f"{name}_segment.png", np.full(shape, 5 if name == "classes" else 0))
        save(folder / "true" / f"{name}_segment.png", np.zeros((8, 10)))
    for name in ("place", "damaged"):
        save(folder / "out" / f"{name}_segment.nii.gz", np.zeros((8, 10, 1), np.uint8))
        save(folder / "true" / f"{name}_segment.nii.gz", np.zeros((8, 10, 1), np.uint8), np.diag([2.0, 1, 1, 1]))
    (folder / "out" / "damaged_segment.nii.gz").write_bytes(b"x")
    found = evaluate(folder)
    assert not found.is_complete
    assert set(found.cases) == {"a", "sub/b"}
    assert found.metrics["segment_iou_cell"] == pytest.approx((24 + 12) / 48)
    assert found.missing_predictions == ["only_true, segment"]
    assert found.missing_targets == ["only_predicted, segment"]
    reasons = {name.partition(",")[0]: reason for name, reason in found.failed.items()}
    assert "has spatial size (8, 9), its target" in reasons["size"]
    assert "class numbers 0..1, got [5" in reasons["classes"]
    assert "do not lie in the same place" in reasons["place"]
    assert "damaged_segment.nii.gz" in reasons["damaged"]
    told = summary(found)
    assert "1 without a prediction: only_true, segment" in told
    assert "4 failed: classes, segment: " in told


def test_a_report_that_cannot_be_written_leaves_none_that_looks_complete(folder: Path, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise OSError("No space left on device")

    monkeypatch.setattr("monai_mtunet.evaluation.report._cell", fail)
    with pytest.raises(OSError, match="No space"):
        write(evaluate(folder), folder / "report")
    assert [path.name for path in (folder / "report").iterdir()] == ["metrics.csv"]


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_measured(folder: Path) -> None:
    with pytest.raises(OSError, match="_segment"):
        prepare_folder(next(folder.rglob("a_segment.png")) / "report")


def test_nothing_measured_is_not_complete(folder: Path) -> None:
    for file in (folder / "out").rglob("*.png"):
        file.write_bytes(b"x")
    found = evaluate(folder)
    assert (found.metrics, found.cases, len(found.failed), found.is_complete) == ({}, {}, 2, False)
    write(found, folder / "report")


def test_targets_that_a_list_says_to_be_missing_are_none(folder: Path) -> None:
    save(folder / "a.png", np.zeros((8, 10)))
    save(folder / "sub" / "b.png", np.zeros((8, 10)))
    (folder / "list.csv").write_text("image,segment\na.png,true/a_segment.png\nsub/b.png,\n")
    found = evaluate(folder, targets=[str(folder / "list.csv")])
    assert found.is_complete
    assert list(found.cases) == ["a"]


def test_missing_voxels_are_not_counted(folder: Path) -> None:
    target = np.array(Image.open(folder / "true" / "sub" / "b_segment.png"))
    target[:, 5:] = 255
    save(folder / "true" / "sub" / "b_segment.png", target)
    assert evaluate(folder).cases["sub/b"] == pytest.approx(dict.fromkeys(evaluate(folder).metrics, 1.0))


def test_files_hold_the_labels_that_the_task_declares(folder: Path) -> None:
    expected = evaluate(folder).metrics
    task = SegmentationTask("segment", ["background", "cell"], labels=[[0, 7], 255], ignored_labels=[9], dice=True)
    for file in folder.rglob("*_segment.png"):
        save(file, np.array(Image.open(file)) * 255)
    target = np.array(Image.open(folder / "true" / "a_segment.png"))
    target[0, 0] = 7
    save(folder / "true" / "a_segment.png", target)
    assert evaluate(folder, [task]).metrics == expected
    target[0, 0] = 8
    save(folder / "true" / "a_segment.png", target)
    assert "a_segment.png holds 8, but the labels declared" in evaluate(folder, [task]).failed["a, segment"]


def test_one_task_of_several_and_a_task_that_not_every_image_has(folder: Path) -> None:
    height = QuantityTask("height", "m", (0, 9), scale=3)
    save(folder / "out" / "a_height.npy", np.full((8, 10), 5, np.float32))
    save(folder / "true" / "a_height.npy", np.full((8, 10), 3, np.float32))
    both = evaluate(folder, [SEGMENT, height])
    assert both.is_complete
    assert both.metrics["height_mae"] == pytest.approx(2)
    assert both.cases["sub/b"]["height_mae"] != both.cases["sub/b"]["height_mae"]  # NaN: it has none
    write(both, folder / "report")
    assert json.loads((folder / "report" / "evaluation.json").read_text())["cases"]["sub/b"]["height_mae"] is None
    one = evaluate(folder, [SEGMENT, height], only=["height"])
    assert set(one.metrics) == {"height_mae", "height_rmse"}
    assert list(one.cases) == ["a"]


def test_classes_and_boxes_of_whole_images(tmp_path: Path) -> None:
    tasks = [ClassificationTask("kind", ["cat", "dog"]), BoundingBoxTask("box")]
    predicted = [tasks[0].to_json(tasks[0].values_of_target(tasks[0].prepare_target(torch.tensor([1]))[0]))]
    predicted.append({"box": {"top": 0, "left": 0, "bottom": 0.5, "right": 1}, "unit": "normalized"})
    (tmp_path / "out").mkdir()
    for task, content in zip(tasks, predicted, strict=True):
        (tmp_path / "out" / f"x_{task.name}.json").write_text(json.dumps(content))
    save(tmp_path / "x.png", np.zeros((20, 40)))
    (tmp_path / "list.json").write_text('[{"image": "x.png", "kind": 1, "box": [0, 0, 1, 1]}]')
    found = evaluate(tmp_path, tasks, targets=[str(tmp_path / "list.json")])
    assert found.is_complete
    assert found.metrics["kind_accuracy"] == 1
    assert found.metrics["box_iou"] == pytest.approx(0.5)
    assert found.metrics["box_l2"] == pytest.approx(10**2 / 4)  # in voxels of the image
    (tmp_path / "true").mkdir()
    (tmp_path / "true" / "x_box.json").write_text(json.dumps(predicted[1]))
    alone = evaluate(tmp_path, tasks, only=["box"])
    assert "The image's size is not known" in alone.failed["x, box"]


def test_instances_need_their_classes(folder: Path) -> None:
    tasks = [SEGMENT, InstanceTask("instances", "segment", method="components")]
    for name in ("a", "sub/b"):
        for where in ("out", "true"):
            label = np.array(Image.open(folder / where / f"{name}_segment.png"))
            save(folder / where / f"{name}_instances.png", label * (3 if where == "out" else 7))
    assert evaluate(folder, tasks, only=["instances"]).cases["a"]["instances_pq"] == 1
    (folder / "true" / "a_segment.png").unlink()
    found = evaluate(folder, tasks, only=["instances"])
    assert "measured with ['segment']" in found.failed["a, instances"]
    assert list(found.cases) == ["sub/b"]


def test_vectors_in_npy_have_channels_first(tmp_path: Path) -> None:
    normals = np.zeros((3, 4, 6), np.float32)
    normals[2] = 1
    save(tmp_path / "out" / "x_normals.npy", normals)
    save(tmp_path / "true" / "x_normals.npy", 2 * normals)
    assert evaluate(tmp_path, [NormalsTask("normals")]).metrics["normals_mean_angle"] == pytest.approx(0, abs=0.1)


def test_pictures_of_images_are_in_the_datas_units(tmp_path: Path) -> None:
    task = RestorationTask("clean", 3, (0, 255), [120.0, 110, 100], [40.0, 50, 60])
    clean = np.full((12, 14, 3), 100)
    save(tmp_path / "true" / "x_clean.png", clean)
    save(tmp_path / "out" / "x_clean.png", clean + 10)
    found = evaluate(tmp_path, [task])
    assert found.metrics["clean_psnr"] == pytest.approx(20 * np.log10(255 / 10), rel=1e-5)
    assert "clean_psnr_input" not in found.metrics


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of volumes, a bundle that is trained and evaluated on it, and its predictions."""
    folder = tmp_path_factory.mktemp("volumes")
    rng = np.random.default_rng(0)
    affine = np.diag([1.5, -1.0, 2.0, 1.0])
    entries = []
    for number in range(3):
        labels = (rng.random((16, 18, 14)).round(1) > 0.6).astype(np.uint8)
        image = labels * 300.0 + rng.normal(500, 80, labels.shape)
        save(folder / f"s{number}" / "t1.nii.gz", image.astype(np.float32), affine)
        save(folder / f"s{number}" / "labels.nii.gz", labels, affine)
        files = {"image": f"s{number}/t1.nii.gz", "segment": f"s{number}/labels.nii.gz"}
        entries.append({**files, "denoise": files["image"]})
    (folder / "list.json").write_text(json.dumps(entries))
    images = str([{"image": str(folder / f"s{number}" / "t1.nii.gz")} for number in range(3)])
    tasks = UMC.parsed("train", "volume")["tasks"]
    tasks[1]["classes"], tasks[1]["palette"] = ["background", "lesion"], None
    load = [
        {"_target_": "LoadSampled", "tasks": "@active_tasks"},
        {"_target_": "ScaleVolumeRanged", "keys": "image"},
    ]
    overlay = {"tasks": tasks, "load": load, "features": [4, 8], "val_degrade": [], "augment": []}
    (folder / "mine.json").write_text(json.dumps(overlay))
    common = {**UMC.files, "output_dir": str(folder / "run")}
    data = f"$monai_mtunet.data.read_datalist({str(folder / 'list.json')!r}, keys=('image', 'segment'))"
    both = [*UMC.configs("volume"), str(folder / "mine.json")]
    training = {"train_data": data, "val_data": data, "max_epochs": 1, "batch_size": 1, "val_batch_size": 1}
    run(config_file=[*UMC.configs("train"), *both], **common, **training)
    run(config_file=[*UMC.configs("train"), *both, *UMC.configs("evaluate")], **common, **training)
    run(config_file=[*UMC.configs("inference"), *both], **common, val_data=f"${images}")
    return folder


def test_volumes_are_measured_as_validation_does(predicted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", str(predicted / "run" / "predictions"), str(predicted / "list.json")]
    arguments += ["--bundle", str(UMC.folder), "--config", UMC.configs("volume")[0]]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--config", str(predicted / "mine.json"), "--output", str(predicted / "measured")])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    rows = csv.reader((predicted / "run" / "evaluation" / "metrics.csv").open())
    expected = {name: float(value) for name, value in rows if name != "denoise_psnr_input"}
    found = {name: float(value) for name, value in csv.reader((predicted / "measured" / "metrics.csv").open())}
    assert set(found) == set(expected)
    assert found == pytest.approx(expected, rel=1e-4)
    assert "3 image(s)" in told
    assert "segment_miou" in told
    expected_cases, cases = (by_image(predicted / name / "cases.csv") for name in ("run/evaluation", "measured"))
    assert set(cases) == {f"s{number}/t1" for number in range(3)}
    for name, row in cases.items():
        del expected_cases[name]["denoise_psnr_input"]
        assert row == pytest.approx(expected_cases[name], rel=1e-3)


def by_image(table: Path) -> dict[str, dict[str, float]]:
    return {row.pop("image"): {name: float(cell) for name, cell in row.items()} for row in csv.DictReader(table.open())}


def test_the_exit_status_tells_that_something_is_missing(
    predicted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "true").mkdir()
    (tmp_path / "true" / "t1.nii.gz").symlink_to(predicted / "s0" / "labels.nii.gz")
    arguments = ["evaluate", str(predicted / "run" / "predictions" / "s0"), f"segment={tmp_path / 'true'}"]
    arguments += ["--bundle", str(UMC.folder), "--config", UMC.configs("volume")[0]]
    arguments += ["--config", str(predicted / "mine.json"), "--output", str(tmp_path / "measured")]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--tasks", "segment"])
    assert ended.value.code == 0
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 1
    assert "is there already: choose another --output, or replace it with --overwrite" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--overwrite"])
    assert ended.value.code == 1
    assert (
        "1 without a target (where there is none, leave the task out by --tasks): t1, denoise"
        in capsys.readouterr().out
    )


def test_labels_of_a_data_set_are_mapped_as_the_bundle_does_where_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unasked it is refused and told how: class numbers of other files would be mapped a second time."""
    labels = np.arange(9 * 24).reshape(9, 6, 4) % 9
    classes = np.array(SSTEM.class_of_label)[labels]
    for name, values in (("true/a", labels), ("classes/a", classes), ("out/a_segment", classes)):
        save(tmp_path / f"{name}.nii.gz", values.astype(np.uint8))
    command = ["evaluate", str(tmp_path / "out"), "--bundle", str(UMC.folder), "--tasks", "segment", "--overwrite"]
    command += ["--config", str(UMC.folder / "sstem.json"), "--output", str(tmp_path / "measured")]
    with pytest.raises(SystemExit, match="1"):
        main([*command, f"segment={tmp_path / 'true'}"])
    assert "The bundle does so by MapLabelValued: evaluate with --map-labels." in capsys.readouterr().out
    for given in ([f"segment={tmp_path / 'true'}", "--map-labels"], [f"segment={tmp_path / 'classes'}"]):
        with pytest.raises(SystemExit, match="0"):
            main([*command, *given])
        assert json.loads((tmp_path / "measured" / "evaluation.json").read_text())["metrics"]["segment_miou"] == 1


def test_colors_of_a_data_set_are_mapped_as_the_bundle_does(folder: Path) -> None:
    expected = evaluate(folder).metrics
    for file in (folder / "true").rglob("*.png"):
        save(file, np.array([[9, 8, 7], [200, 0, 100]])[np.array(Image.open(file))])
    to_classes = ColorsToClassesd(["segment", "other"], colors=[[9, 8, 7], [200, 0, 100]])
    preprocessing = Compose([ScaleIntensityd("image"), to_classes])
    assert evaluate(folder, preprocessing=preprocessing, map_labels=True).metrics == expected
    assert to_classes.keys == ("segment", "other")
    assert "by ColorsToClassesd: evaluate with" in evaluate(folder, preprocessing=preprocessing).failed["a, segment"]
