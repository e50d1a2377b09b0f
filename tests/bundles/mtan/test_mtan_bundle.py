"""The MTAN bundle: a class and a box beside dense tasks, and its overlays."""

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from monai_mtunet.bundle import check_overrides

from ..bundle_suite import BundleSuite
from ..left_by_a_run import measured, network
from ..refusing import refusing
from .mtan_bundle import MTAN, NETWORK


class TestMTAN(BundleSuite):
    bundle = MTAN
    metrics = ("segment_miou", "segment_fwiou", "segment_f1_pet", "classify_accuracy", "box_iou", "box_l2")
    written = ("segment.png", "classify.json", "box.json", "panel.png")
    unlabeled = ("segment", "classify", "box")
    evaluation: ClassVar = {"held_out_section": "val"}
    smallest: ClassVar = {"load#0#spatial_size": 8, "features": [4] * 4, "convolutions": [1] * 4}
    overlays = (["edges"], ["denoise"], ["color"], ["volume"], ["pets"], ["hippocampus"])

    def test_evaluation_draws_the_masks(self, evaluated: Path) -> None:
        assert len(list((evaluated / "attention_masks").glob("*.png"))) == 1

    def test_evaluation_measures_dogs_of_the_test_section(self, trained: Path, tmp_path: Path) -> None:
        MTAN.evaluate(tmp_path, ckpt_path=str(trained / "checkpoints" / "best.pt"))
        held_out, validation = measured(tmp_path), measured(trained, "validation")
        assert held_out["segment_miou"] != validation["segment_miou"]
        assert np.isnan(held_out["classify_recall_cat"])  # there is none
        assert held_out["classify_recall_dog"] == held_out["classify_accuracy"]

    def test_files_of_classes_and_boxes(self, predictions: Path) -> None:
        assert Image.open(predictions / "animal_000002_segment.png").size == (40, 32)
        species = json.loads((predictions / "animal_000002_classify.json").read_text())
        assert species["class"] in ("cat", "dog")
        assert sum(species["probabilities"]) == pytest.approx(1)
        box = json.loads((predictions / "animal_000002_box.json").read_text())
        assert list(box["box"]) == ["top", "left", "bottom", "right"]
        assert box["unit"] == "normalized"

    def test_own_files_are_predicted(self, trained: Path, tmp_path: Path) -> None:
        (tmp_path / "images").mkdir()
        image = np.random.default_rng(0).integers(0, 256, (36, 28, 3), np.uint8)
        Image.fromarray(image).save(tmp_path / "images" / "rex.png")
        MTAN.run(
            tmp_path, "inference", "files", **NETWORK, input_dir=str(tmp_path / "images"),
            ckpt_path=str(trained / "checkpoints" / "best.pt"),
        )  # fmt: skip
        assert {file.name for file in (tmp_path / "predictions").iterdir()} == {
            "rex_segment.png", "rex_classify.json", "rex_box.json", "rex_panel.png",
        }  # fmt: skip

    @pytest.mark.parametrize(
        "export",
        [
            lambda network, image: torch.export.export(network, (image,)).module(),
            pytest.param(lambda network, image: torch.jit.script(network), marks=pytest.mark.slow),
        ],
        ids=["export", "script"],
    )
    def test_the_trained_network_exports_with_class_and_box(self, trained: Path, export: Any) -> None:
        trained_network = MTAN.parsed("inference", **NETWORK).get_parsed_content("network_def").eval()
        trained_network.load_state_dict(network(trained, "best"))
        image = torch.randn(2, 3, 32, 40, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            expected = trained_network(image)
            predictions = export(trained_network, image)(image)
        assert list(predictions) == ["segment", "classify", "box"]
        for task, values in expected.items():  # MONAI's own verification checks nothing of a dict
            torch.testing.assert_close(predictions[task], values, atol=1e-5, rtol=1e-4)

    def test_inference_in_windows_refuses_boxes(self, trained: Path, tmp_path: Path) -> None:
        with refusing("Task 'box' predicts one vector per image, and windows of 16 x 16"):
            MTAN.predict(tmp_path, ckpt_path=str(trained / "checkpoints" / "best.pt"), roi_size=[16, 16])


def test_the_network_is_the_studys_attention_on_the_encoder_and_the_weights_are_the_papers() -> None:
    train = MTAN.parsed("train")
    network_def = train.get_parsed_content("network_def")
    assert len(network_def.encoder_attention) == 4
    assert len(network_def.decoder_attention) == 0
    assert list(network_def.decoders) == ["segment"]
    loss = train.get_parsed_content("loss")
    weights = dict(zip(loss.weighting.tasks, loss.weighting.importance.tolist(), strict=True))
    assert weights == pytest.approx({"segment": 0.7, "classify": 0.1, "box": 0.2})
    box = train.get_parsed_content("active_tasks")[2]
    # 1e-4 of the squared error in pixels, at the study's 256 x 256
    wrong_by_ten_pixels = box.loss()(torch.zeros(1, 4), box.prepare_target(torch.full((1, 4), 10 / 256)))
    assert wrong_by_ten_pixels.item() == pytest.approx(1e-4 * 10**2)


@pytest.mark.parametrize(
    ("overlays", "overrides"),
    [
        (["segnet", "single_task"], {}),
        (["no_class"], {}),
        (["no_box"], {}),
        (["edges", "segnet"], {}),
        ([], {"only": "classify", "key_metric_name": "classify_accuracy"}),
        ([], {"only": "box", "key_metric_name": "box_l2"}),
    ],
)
def test_overlays_train(tmp_path: Path, overlays: list[str], overrides: dict[str, Any]) -> None:
    MTAN.train(tmp_path, *overlays, **overrides)
    tasks = MTAN.parsed("train", *overlays, **overrides).get_parsed_content("active_tasks")
    assert set(tasks.names) == {name.split(".")[1] for name in network(tmp_path, "best") if "heads." in name}


@pytest.mark.parametrize(
    ("overlays", "metric"),
    [(["edges", "denoise"], "edges_f"), (["color"], "color_mae"), (["volume"], "denoise_psnr")],
)
def test_auxiliary_tasks_train_and_predict(tmp_path: Path, overlays: list[str], metric: str) -> None:
    size = {"load#0#spatial_size": 16} if "volume" in overlays else {}
    MTAN.train(tmp_path, *overlays, **size)
    assert np.isfinite(measured(tmp_path, "validation")[metric])
    MTAN.predict(tmp_path, *overlays, **size)
    for task in ("segment", "classify", "box", metric.split("_")[0]):
        assert len(list((tmp_path / "predictions").glob(f"*_{task}.*"))) == 1


def test_equal_weights_are_equal() -> None:
    loss = MTAN.parsed("train", "equal_weights").get_parsed_content("loss")
    assert len(set(loss.weighting.importance.tolist())) == 1


def test_with_color_the_network_sees_lightness_alone_and_with_denoising_the_noisy_image() -> None:
    (sample,) = MTAN.parsed("train", "color", **MTAN.small).get_parsed_content("validate#dataset")[:1]
    assert sample["image"].shape == (1, 32, 32)
    assert sample["color"].shape == (2, 32, 32)
    parser = MTAN.parsed("train", "denoise", **MTAN.small)
    sample = parser.get_parsed_content("validate#dataset")[0]
    noise = (sample["image"] - sample["denoise"]).as_tensor() * torch.tensor(parser["std"]).view(3, 1, 1)
    assert noise.std().item() == pytest.approx(2, rel=0.1)


def test_flips_move_outline_and_box_together() -> None:
    one, flip = {**MTAN.small, "train_data": [{"seed": 4}]}, {"augment#0#prob": 0.0, "augment#1#prob": 1.0}
    flipped, plain = (
        MTAN.parsed("train", **one, **changes).get_parsed_content("train#dataset")[0]
        for changes in (flip, {"augment": []})
    )
    assert torch.equal(flipped["segment"].flip(2), plain["segment"])
    top, left, bottom, right = plain["box"].tolist()
    assert flipped["box"].tolist() == pytest.approx([top, 1 - right, bottom, 1 - left])


def test_vgg16_names_what_is_missing_offline(tmp_path: Path) -> None:
    missing = tmp_path / "vgg16_bn.pth"
    with refusing(f"There is no file {missing} with VGG-16's weights", "give its path as source"):
        MTAN.train(tmp_path, "vgg16", vgg16_source=str(missing))


@pytest.mark.parametrize("name", ["train", "inference"])
@pytest.mark.parametrize(
    "overlay", ["edges", "denoise", "color", "segnet", "no_class", "volume", "hippocampus", "pets"]
)
def test_overlays_are_accepted_on_the_command_line(name: str, overlay: str) -> None:
    check_overrides(["--config_file", str(MTAN.configs(name, overlay)), "--output_dir=somewhere"])
    assert MTAN.parsed(name, overlay).get_parsed_content("active_tasks").names
