"""What the SUNet bundle answers to bad input: each error names what is wrong and what to do."""

from pathlib import Path

import pytest
import torch

from ..refusing import refusing
from .sunet_bundle import SUNET


@pytest.mark.parametrize("overlays", [[], ["resnet"]])
def test_another_output_stride(tmp_path: Path, overlays: list[str]) -> None:
    with refusing("output_stride must be one of (32, 16, 8), got 4"):
        SUNET.train(tmp_path, *overlays, output_stride=4, layers=[1, 1, 1, 1])


def test_missing_pretrained_file(tmp_path: Path) -> None:
    with refusing(f"There is no checkpoint {tmp_path / 'nothing.pt'}"):
        SUNET.train(tmp_path, pretrained=str(tmp_path / "nothing.pt"))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wide")
    SUNET.train(folder)
    return folder / "checkpoints" / "best.pt"


def test_pretrained_network_of_another_width(tmp_path: Path, checkpoint: Path) -> None:
    with refusing(
        str(checkpoint),
        "does not fit the SUNet; it has in another shape: trunk.",
        "Build the network with the widths",
    ):
        SUNET.train(tmp_path, module_features=12, pretrained=str(checkpoint), pretrained_part="trunk")


def test_pretrained_heads_of_other_classes(tmp_path: Path, checkpoint: Path) -> None:
    six = {"tasks#0#classes": list("abcdef"), "tasks#0#palette": [[0, 0, 0]] * 6}
    with refusing("heads.dense.segment"):
        SUNET.train(tmp_path, **six, pretrained=str(checkpoint), pretrained_part="heads")


def test_pretrained_network_of_another_kind(tmp_path: Path, checkpoint: Path) -> None:
    with refusing("does not fit the DilatedResNet"):
        SUNET.train(tmp_path, "resnet", layers=[1, 1, 1, 1], pretrained=str(checkpoint))


def test_checkpoint_of_another_width_in_evaluation(tmp_path: Path, checkpoint: Path) -> None:
    with refusing("another architecture"):
        SUNET.evaluate(tmp_path, module_features=12, ckpt_path=str(checkpoint))


def test_nothing_to_freeze(tmp_path: Path) -> None:
    with refusing("no batch normalization to freeze"):
        SUNET.train(tmp_path, norm="instance", freeze_norm=True)


def test_scales_that_are_none(tmp_path: Path, checkpoint: Path) -> None:
    with refusing("scales must hold positive factors"):
        SUNET.evaluate(tmp_path, ckpt_path=str(checkpoint), scales=[0.0])


def test_a_label_that_is_no_class_of_the_image(tmp_path: Path) -> None:
    with refusing("classify of image", "2 classes"):
        SUNET.train(tmp_path, "classification", **{"tasks#0#classes": ["striped ball", "rest"]})


def test_weights_of_another_file_are_not_run(tmp_path: Path) -> None:
    torch.save({"network": Path("x")}, tmp_path / "code.pt")
    with refusing("holds more than tensors"):
        SUNET.train(tmp_path, pretrained=str(tmp_path / "code.pt"))
