"""The MTAN bundle from training to files: dense tasks, a class and a box in one network; its overlays and data."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ConfigWorkflow
from PIL import Image

import monai_mtunet
from monai_mtunet.bundle import check_overrides

from .bundle_under_test import needs_data, saved_metrics
from .mtan_bundle import MTAN, NETWORK, SMALL


@pytest.mark.parametrize(
    ("kind", "names"),
    [("train", ["train"]), ("train", ["train", "evaluate"]), ("inference", ["inference"])],
)
def test_has_the_properties_of_a_zoo_bundle(kind: str, names: list[str], tmp_path: Path) -> None:
    workflow = ConfigWorkflow(MTAN.configs(*names), workflow_type=kind, output_dir=str(tmp_path), **MTAN.files)
    workflow.initialize()
    assert workflow.check_properties() == []


def test_inference_and_metadata_repeat_the_tasks_of_training() -> None:
    train, inference = MTAN.parsed("train"), MTAN.parsed("inference")
    tasks = train.get_parsed_content("tasks")
    for first, second in zip(tasks, inference.get_parsed_content("tasks"), strict=True):
        assert type(first) is type(second)
        assert first.metadata(spatial_dims=2) == second.metadata(spatial_dims=2)
        assert first.legend() == second.legend()
    assert tasks[2].scale == inference.get_parsed_content("tasks")[2].scale
    for item in ("mean", "std", "network_def", "image_channels", "spatial_dims", *NETWORK):
        assert train[item] == inference[item], item
    outputs = json.loads((MTAN.folder / "metadata.json").read_text())["network_data_format"]["outputs"]
    assert next(iter(outputs)) == "pred"
    assert outputs["pred"]["num_channels"] == sum(task.channels for task in tasks if task.is_dense)
    assert {name: outputs[name] for name in list(outputs)[1:]} == {task.name: task.metadata(2) for task in tasks}


def test_the_network_is_the_studys_attention_on_the_encoder_and_the_weights_are_the_papers() -> None:
    train = MTAN.parsed("train")
    network = train.get_parsed_content("network_def")
    assert len(network.encoder_attention) == 4
    assert len(network.decoder_attention) == 0
    assert list(network.decoders) == ["segment"]
    loss = train.get_parsed_content("loss")
    weights = dict(zip(loss.weighting.tasks, loss.weighting.importance.tolist(), strict=True))
    assert weights == pytest.approx({"segment": 0.7, "classify": 0.1, "box": 0.2})
    box = train.get_parsed_content("tasks")[2]
    # 1e-4 of the squared error in pixels, at the study's 256 x 256
    wrong_by_ten_pixels = box.loss()(torch.zeros(1, 4), box.prepare_target(torch.full((1, 4), 10 / 256)))
    assert wrong_by_ten_pixels.item() == pytest.approx(1e-4 * 10**2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    MTAN.run(folder, "train", **SMALL | {"trainer#max_epochs": 2})
    return folder


def test_training_leaves_checkpoints_panels_and_curves(trained: Path) -> None:
    assert {"best.pt", "last.pt"} == {file.name for file in (trained / "checkpoints").iterdir()}
    assert len(list((trained / "panels").glob("*.png"))) == 2
    head = (trained / "loss_weights.csv").read_text().splitlines()[0].split(",")
    assert {"weight_segment", "loss_classify", "loss_box"} <= set(head)


def test_evaluation_measures_dogs_of_the_test_section_and_draws_the_masks(trained: Path, tmp_path: Path) -> None:
    checkpoint = str(trained / "checkpoints" / "best.pt")
    MTAN.run(tmp_path / "test", "train", "evaluate", **SMALL, ckpt_path=checkpoint)
    MTAN.run(tmp_path / "val", "train", "evaluate", **SMALL, ckpt_path=checkpoint, held_out_section="val")
    best = torch.load(checkpoint, weights_only=True)["best_metric"]
    held_out, validation = saved_metrics(tmp_path / "test"), saved_metrics(tmp_path / "val")
    assert validation["segment_miou"] == pytest.approx(best["value"], abs=1e-6)
    assert held_out["segment_miou"] != validation["segment_miou"]
    assert {"segment_fwiou", "segment_f1_pet", "box_iou", "box_l2"} <= set(held_out)
    assert np.isnan(held_out["classify_recall_cat"])  # there is none
    assert held_out["classify_recall_dog"] == held_out["classify_accuracy"]
    assert len(list((tmp_path / "test" / "attention_masks").glob("*.png"))) == 1


def test_inference_writes_maps_classes_and_boxes(trained: Path, tmp_path: Path) -> None:
    MTAN.run(
        tmp_path, "inference", **NETWORK, **{"load#0#spatial_size": [32, 40]},
        ckpt_path=str(trained / "checkpoints" / "best.pt"),
    )  # fmt: skip
    folder = tmp_path / "predictions"
    written = {file.name.removeprefix("animal_000002_") for file in folder.glob("*_000002_*")}
    assert written == {"segment.png", "classify.json", "box.json", "panel.png"}
    assert Image.open(folder / "animal_000002_segment.png").size == (40, 32)
    species = json.loads((folder / "animal_000002_classify.json").read_text())
    assert species["class"] in ("cat", "dog")
    assert sum(species["probabilities"]) == pytest.approx(1)
    box = json.loads((folder / "animal_000002_box.json").read_text())
    assert list(box["box"]) == ["top", "left", "bottom", "right"]
    assert box["unit"] == "normalized"


def test_the_trained_network_exports_with_class_and_box(trained: Path) -> None:
    small = {**NETWORK, "ckpt_path": str(trained / "checkpoints" / "best.pt")}
    network = MTAN.parsed("inference", **small).get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(small["ckpt_path"], weights_only=True)["network"])
    image = torch.randn(2, 3, 32, 40, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(image)
        scripted = torch.jit.script(network)(image)
        exported = torch.export.export(network, (image,)).module()(image)
    for predictions in (scripted, exported):
        assert list(predictions) == ["segment", "classify", "box"]
        for task, values in expected.items():  # MONAI's own verification checks nothing of a dict
            torch.testing.assert_close(predictions[task], values, atol=1e-5, rtol=1e-4)


def messages(error: BaseException | None) -> str:
    """MONAI wraps what happens inside a configuration."""
    return f"{error} {messages(error.__cause__ or error.__context__)}" if error else ""


def test_inference_in_windows_refuses_boxes(trained: Path, tmp_path: Path) -> None:
    small = {**NETWORK, "load#0#spatial_size": 32, "ckpt_path": str(trained / "checkpoints" / "best.pt")}
    with pytest.raises(RuntimeError) as caught:
        MTAN.run(tmp_path, "inference", **small, roi_size=[16, 16])
    assert "Task 'box' predicts one vector per image, and windows of 16 x 16" in messages(caught.value)


@pytest.mark.parametrize(
    ("overlays", "overrides"),
    [
        (["segnet", "single_task"], {}),
        (["no_class"], {}),
        (["no_box"], {}),
        (["equal_weights"], {}),
        (["edges", "segnet"], {}),
        ([], {"only": "classify", "key_metric_name": "classify_accuracy"}),
        ([], {"only": "box", "key_metric_name": "box_l2"}),
    ],
)
def test_overlays_train(tmp_path: Path, overlays: list[str], overrides: dict[str, Any]) -> None:
    MTAN.run(tmp_path, "train", *overlays, **SMALL | overrides)
    tasks = MTAN.parsed("train", *overlays, **overrides).get_parsed_content("active_tasks")
    network = torch.load(tmp_path / "checkpoints" / "best.pt", weights_only=True)["network"]
    assert {task.name for task in tasks} == {name.split(".")[1] for name in network if "heads." in name}


@pytest.mark.parametrize(
    ("overlays", "metric"),
    [(["edges", "denoise"], "edges_f"), (["color"], "color_mae"), (["volume"], "denoise_psnr")],
)
def test_auxiliary_tasks_train_and_predict(tmp_path: Path, overlays: list[str], metric: str) -> None:
    small = SMALL | ({"load#0#spatial_size": 16} if "volume" in overlays else {})
    MTAN.run(tmp_path, "train", *overlays, **small)
    measured = dict(line.split(",") for line in (tmp_path / "validation" / "metrics.csv").read_text().split())
    assert np.isfinite(float(measured[metric]))
    inference = NETWORK | {"load#0#spatial_size": small["load#0#spatial_size"]}
    val_data = "$monai_mtunet.data.synthetic_animals_datalist(1, 'test')"
    MTAN.run(tmp_path, "inference", *overlays, **inference, val_data=val_data)
    for task in ("segment", "classify", "box", metric.split("_")[0]):
        assert len(list((tmp_path / "predictions").glob(f"*_{task}.*"))) == 1


def test_with_color_the_network_sees_lightness_alone_and_with_denoising_the_noisy_image() -> None:
    (sample,) = MTAN.parsed("train", "color", **SMALL).get_parsed_content("validate#dataset")[:1]
    assert sample["image"].shape == (1, 32, 32)
    assert sample["color"].shape == (2, 32, 32)
    parser = MTAN.parsed("train", "denoise", **SMALL)
    sample = parser.get_parsed_content("validate#dataset")[0]
    noise = (sample["image"] - sample["denoise"]).as_tensor() * torch.tensor(parser["std"]).view(3, 1, 1)
    assert noise.std().item() == pytest.approx(2, rel=0.1)


def test_flips_move_outline_and_box_together() -> None:
    parser = MTAN.parsed("train", **SMALL | {"train_data": [{"seed": 4}], "augment#1#prob": 1.0, "augment#0#prob": 0.0})
    flipped = parser.get_parsed_content("train#dataset")[0]
    plain = MTAN.parsed("train", **SMALL | {"train_data": [{"seed": 4}], "augment": []}).get_parsed_content(
        "train#dataset"
    )[0]
    assert torch.equal(flipped["segment"].flip(2), plain["segment"])
    top, left, bottom, right = plain["box"].tolist()
    assert flipped["box"].tolist() == pytest.approx([top, 1 - right, bottom, 1 - left])


def test_samples_without_class_or_box_train_on(tmp_path: Path) -> None:
    data = f"$monai_mtunet.data.keep_labels({SMALL['train_data'][1:]}, ['classify', 'box'], count=2)"
    MTAN.run(tmp_path, "train", **SMALL | {"train_data": data})
    state = torch.load(tmp_path / "checkpoints" / "last.pt", weights_only=True)["network"]
    assert all(value.isfinite().all() for value in state.values())


def test_resumes_bit_for_bit(tmp_path: Path) -> None:
    overlays = ("denoise",)  # noise is drawn in training
    constant = {
        "lr_scheduler": {"_target_": "torch.optim.lr_scheduler.ConstantLR", "optimizer": "@optimizer", "factor": 1.0}
    }
    MTAN.run(tmp_path / "whole", "train", *overlays, **SMALL | constant | {"trainer#max_epochs": 2})
    MTAN.run(tmp_path / "parts", "train", *overlays, **SMALL | constant)
    MTAN.run(tmp_path / "parts", "train", *overlays, **SMALL | constant | {"trainer#max_epochs": 2}, resume=True)
    whole, parts = (
        torch.load(tmp_path / run / "checkpoints" / "last.pt", weights_only=True)["network"]
        for run in ("whole", "parts")
    )
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_vgg16_names_what_is_missing_offline(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as caught:
        MTAN.run(tmp_path, "train", "vgg16", **SMALL, vgg16_source=str(tmp_path / "vgg16_bn.pth"))
    text = messages(caught.value)
    assert f"There is no file {tmp_path / 'vgg16_bn.pth'} with VGG-16's weights" in text
    assert "give its path as source" in text


def save_pets(folder: Path) -> None:
    """Two cats and ten dogs in the official layout, of several sizes, one of them in a palette."""
    rng = np.random.default_rng(0)
    names = [f"Bengal_{i}" for i in range(2)] + [f"beagle_{i}" for i in range(10)]
    for kind in ("images", "annotations/trimaps", "annotations/xmls"):
        (folder / kind).mkdir(parents=True)
    (folder / "annotations/list.txt").write_text(
        "".join(f"{name} {1 + name.startswith('b')} {1 + name.startswith('b')} 1\n" for name in names)
    )
    for i, name in enumerate(names):
        height, width = 40 + 4 * i, 60
        image = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
        (image.convert("P") if i == 1 else image).save(folder / f"images/{name}.jpg", "PNG" if i == 1 else "JPEG")
        trimap = np.full((height, width), 2, np.uint8)
        trimap[8:30, 10:50], trimap[10:28, 12:48] = 3, 1
        Image.fromarray(trimap).save(folder / f"annotations/trimaps/{name}.png")
        (folder / f"annotations/xmls/{name}.xml").write_text(
            "<annotation><object><bndbox><xmin>13</xmin><ymin>11</ymin><xmax>30</xmax><ymax>20</ymax></bndbox></object>"
            "</annotation>"
        )


SMALL_PETS = NETWORK | {"image_size": [32, 32], "batch_size": 4, "num_workers": 0, "trainer#max_epochs": 1}


def test_pets_train_evaluate_and_predict(tmp_path: Path) -> None:
    save_pets(tmp_path / "pets")
    small = SMALL_PETS | {"dataset_dir": str(tmp_path / "pets")}
    MTAN.run(tmp_path, "train", "pets", **small)
    MTAN.run(tmp_path, "train", "pets", "evaluate", **small)
    metrics = saved_metrics(tmp_path)
    assert metrics["classify_recall_dog"] == metrics["classify_accuracy"]
    assert np.isfinite(metrics["box_l2"])
    del small["batch_size"], small["num_workers"], small["trainer#max_epochs"]
    MTAN.run(tmp_path, "inference", "pets", **small)
    written = list((tmp_path / "predictions").glob("*_segment.png"))
    assert len(written) == 3
    for file in written:  # at the size of the photograph
        photograph = tmp_path / "pets" / "images" / file.name.replace("_segment.png", ".jpg")
        assert Image.open(file).size == Image.open(photograph).size


def test_pets_boxes_are_those_of_the_resized_photograph(tmp_path: Path) -> None:
    save_pets(tmp_path / "pets")
    pets = SMALL_PETS | {"dataset_dir": str(tmp_path / "pets"), "augment": []}
    parser = MTAN.parsed("train", "pets", "edges", "denoise", **pets)
    sample = parser.get_parsed_content("train#dataset")[0]  # 40 x 60
    assert sample["image"].shape == sample["denoise"].shape == (3, 32, 32)
    assert set(sample["edges"].unique().tolist()) == {0, 1}  # of the resized photograph
    assert sample["box"].tolist() == pytest.approx([10 / 40, 12 / 60, 20 / 40, 30 / 60], abs=1 / 32)
    assert set(sample["segment"].unique().tolist()) == {0, 1, 255}


def test_pets_without_an_outline_teach_class_and_box(tmp_path: Path) -> None:
    save_pets(tmp_path / "pets")
    pets = SMALL_PETS | {"dataset_dir": str(tmp_path / "pets"), "augment": [], "shuffle": False}
    whole = MTAN.parsed("train", "pets", **pets).get_parsed_content("train_data")[0]
    left_out = {key: value for key, value in whole.items() if key != "segment"}
    samples = [whole, {**whole, "segment": None}, left_out, {"image": whole["image"]}]
    (batch,) = MTAN.parsed("train", "pets", **pets, train_data=samples).get_parsed_content("train#dataloader")
    assert set(batch["segment"][0].unique().tolist()) == {0, 1, 255}
    assert (batch["segment"][1:] == 255).all()
    assert batch["classify"].flatten().tolist() == [0, 0, 0, -1]
    assert torch.equal(batch["box"][1], batch["box"][0])
    assert torch.equal(batch["box"][2], batch["box"][0])
    assert batch["box"][3].isnan().all()


@needs_data("hippocampus", "Task04_Hippocampus")
def test_volumes_of_the_hippocampus_have_surfaces_for_edges() -> None:
    one = "$monai_mtunet.data.decathlon_datalist(@dataset_dir, 'train', @fold)[:1]"
    parser = MTAN.parsed("train", "hippocampus", train_data=one)
    sample = parser.get_parsed_content("train#dataset")[0]
    assert {key: tuple(sample[key].shape) for key in ("image", "denoise", "edges", "segment")} == dict.fromkeys(
        ("image", "denoise", "edges", "segment"), (1, 32, 40, 24)
    )
    assert 0.05 < (sample["edges"] == 1).float().mean() < 0.3
    assert set(sample["segment"].unique().tolist()) <= {0, 1, 2, 255}


def test_missing_pets_are_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as caught:
        MTAN.run(tmp_path, "train", "pets", **SMALL_PETS, dataset_dir=str(tmp_path / "nowhere"))
    assert "Oxford-IIIT Pet" in messages(caught.value)


def test_own_files_are_predicted(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (36, 28, 3), np.uint8)).save(tmp_path / "images/rex.png")
    MTAN.run(
        tmp_path, "inference", "files", **NETWORK, input_dir=str(tmp_path / "images"),
        ckpt_path=str(trained / "checkpoints" / "best.pt"),
    )  # fmt: skip
    assert {file.name for file in (tmp_path / "predictions").iterdir()} == {
        "rex_segment.png", "rex_classify.json", "rex_box.json", "rex_panel.png",
    }  # fmt: skip


@pytest.mark.parametrize("overlays", [["edges"], ["denoise"], ["color"], ["volume"], ["pets"], ["hippocampus"]])
def test_own_files_are_prepared_as_the_training_images(overlays: list[str]) -> None:
    prepared, files = (
        [
            type(step)
            for step in MTAN.parsed("inference", *overlays, *more).get_parsed_content("preprocessing").transforms
        ]
        for more in ([], ["files"])
    )
    loading = MTAN.parsed("inference", *overlays).get_parsed_content("load")
    added = {type(step) for step in MTAN.parsed("inference", *overlays).get_parsed_content("val_noise")}
    assert files[2:] == [step for step in prepared[len(loading) :] if step not in added]
    assert [step.__name__ for step in files[:2]] == ["LoadSampled", "CheckSampled"]


@pytest.mark.parametrize("name", ["train", "inference"])
@pytest.mark.parametrize(
    "overlay", ["edges", "denoise", "color", "segnet", "no_class", "volume", "hippocampus", "pets"]
)
def test_overlays_are_accepted_on_the_command_line(name: str, overlay: str) -> None:
    check_overrides(["--config_file", str(MTAN.configs(name, overlay)), "--output_dir=somewhere"])
    assert monai_mtunet.task_names(MTAN.parsed(name, overlay).get_parsed_content("tasks"))
