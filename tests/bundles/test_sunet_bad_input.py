"""What the SUNet bundle answers to bad input: each error names what is wrong and what to do."""

from pathlib import Path
from typing import Any

import pytest
import torch

from .sunet_bundle import SMALL, SUNET


def message(output_dir: Path, *names: str, **overrides: Any) -> str:
    """All messages of the error that a run ends with: MONAI wraps what happens inside a configuration."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the tests are about the messages
        SUNET.run(output_dir, *names, **overrides)
    error: BaseException | None = caught.value
    messages = []
    while error is not None:
        messages.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(messages)


@pytest.mark.parametrize("overlays", [[], ["resnet"]])
def test_another_output_stride(tmp_path: Path, overlays: list[str]) -> None:
    text = message(tmp_path, "train", *overlays, **SMALL | {"output_stride": 4, "layers": [1, 1, 1, 1]})
    assert "output_stride must be one of (32, 16, 8), got 4" in text


def test_missing_pretrained_file(tmp_path: Path) -> None:
    text = message(tmp_path, "train", **SMALL, pretrained=str(tmp_path / "nothing.pt"))
    assert f"There is no checkpoint {tmp_path / 'nothing.pt'}" in text


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wide")
    SUNET.run(folder, "train", **SMALL)
    return folder / "checkpoints" / "best.pt"


def test_pretrained_network_of_another_width(tmp_path: Path, checkpoint: Path) -> None:
    text = message(tmp_path, "train", **SMALL | {"module_features": 12}, pretrained=str(checkpoint))
    assert str(checkpoint) in text
    assert "does not fit the SUNet; it has in another shape: trunk." in text
    assert "Build the network with the widths" in text


def test_pretrained_heads_of_other_classes(tmp_path: Path, checkpoint: Path) -> None:
    overrides = {"pretrained": str(checkpoint), "pretrained_part": "", "tasks#0#classes": list("abcdef")}
    text = message(tmp_path, "train", **SMALL | overrides | {"tasks#0#palette": [[0, 0, 0]] * 6})
    assert "heads.dense.segment" in text


def test_pretrained_network_of_another_kind(tmp_path: Path, checkpoint: Path) -> None:
    small = SMALL | {"layers": [1, 1, 1, 1]}
    text = message(tmp_path, "train", "resnet", **small, pretrained=str(checkpoint))
    assert "does not fit the DilatedResNet" in text


def test_checkpoint_of_another_width_in_evaluation(tmp_path: Path, checkpoint: Path) -> None:
    text = message(tmp_path, "train", "evaluate", **SMALL | {"module_features": 12}, ckpt_path=str(checkpoint))
    assert "another architecture" in text


def test_nothing_to_freeze(tmp_path: Path) -> None:
    text = message(tmp_path, "train", **SMALL | {"norm": "instance"}, freeze_norm=True)
    assert "no batch normalization to freeze" in text


def test_scales_that_are_none(tmp_path: Path, checkpoint: Path) -> None:
    text = message(tmp_path, "train", "evaluate", **SMALL, ckpt_path=str(checkpoint), scales=[0.0])
    assert "scales must hold positive factors" in text


def test_a_label_that_is_no_class_of_the_image(tmp_path: Path) -> None:
    text = message(tmp_path, "train", "classification", **SMALL | {"tasks#0#classes": ["striped ball", "rest"]})
    assert "classify of image" in text
    assert "2 classes" in text


def test_weights_of_another_file_are_not_run(tmp_path: Path) -> None:
    torch.save({"network": Path("x")}, tmp_path / "code.pt")
    assert "holds more than tensors" in message(tmp_path, "train", **SMALL, pretrained=str(tmp_path / "code.pt"))
