"""What the bundle answers to bad input: each error names what is wrong and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from PIL import Image

from monai_mtunet.engines import NonFiniteLossError

from .umc_bundle import SMALL, run_bundle

TRAINING = {key: value for key, value in SMALL.items() if key in ("features", "batch_size", "trainer#max_epochs")}


def message(output_dir: Path, *names: str, **overrides: Any) -> str:
    """All messages of the error that a run ends with: MONAI wraps what happens inside a configuration."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the tests are about the messages
        run_bundle(output_dir, *names, **overrides)
    error: BaseException | None = caught.value
    messages = []
    while error is not None:
        messages.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(messages)


@pytest.fixture
def camvid(tmp_path: Path) -> Path:
    """Two frames in CamVid's layout."""
    folder = tmp_path / "camvid"
    for section in ("train", "val"):
        (folder / section).mkdir(parents=True)
        (folder / f"{section}annot").mkdir()
        lines = []
        for stem in ("a", "b"):
            rng = np.random.default_rng(0)
            Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(folder / section / f"{stem}.png")
            Image.fromarray(rng.integers(0, 12, (48, 64), dtype=np.uint8)).save(folder / f"{section}annot/{stem}.png")
            lines.append(f"{section}/{stem}.png {section}annot/{stem}.png")
        (folder / f"{section}.txt").write_text("\n".join(lines) + "\n")
    return folder


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def no_data_set(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def no_label(folder: Path) -> None:
    (folder / "trainannot" / "b.png").unlink()


def empty_split(folder: Path) -> None:
    (folder / "val.txt").write_text("\n")


def label_out_of_range(folder: Path) -> None:
    Image.fromarray(np.full((48, 64), 77, dtype=np.uint8)).save(folder / "trainannot" / "b.png")


def other_size(folder: Path) -> None:
    Image.fromarray(np.zeros((40, 64), dtype=np.uint8)).save(folder / "trainannot" / "b.png")


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (no_data_set, ["CamVid", "camvid", "--dataset_dir", "https://"]),
        (no_label, ["3 of 4", "trainannot/b.png", "https://"]),
        (empty_split, ["no samples"]),
        (lambda folder: truncate(folder / "train" / "a.png"), ["train/a.png", "truncated"]),
        (lambda folder: truncate(folder / "trainannot" / "b.png"), ["trainannot/b.png", "truncated"]),
        (label_out_of_range, ["segment", "trainannot/b.png", "77", "11 classes"]),
        (other_size, ["train/b.png", "48 x 64", "trainannot/b.png", "40 x 64"]),
    ],
)
def test_damaged_data_set(camvid: Path, tmp_path: Path, damage: Callable[[Path], None], expected: list[str]) -> None:
    damage(camvid)
    text = message(tmp_path / "out", "train", "camvid", **TRAINING, dataset_dir=str(camvid))
    for part in expected:
        assert part in text, text


def test_whole_data_set_trains(camvid: Path, tmp_path: Path) -> None:
    run_bundle(tmp_path / "out", "train", "camvid", **TRAINING | {"augment#0#roi_size": [32, 32]},
               dataset_dir=str(camvid))  # fmt: skip
    assert (tmp_path / "out" / "checkpoints" / "best.pt").is_file()


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    path = tmp_path / "volume.nii.gz"
    data = np.random.default_rng(0).normal(size=(20, 22, 18)).astype(np.float32)
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)
    return path


def test_volume_for_a_2d_network(tmp_path: Path, volume: Path) -> None:
    load = [{"_target_": "LoadSampled", "keys": "image"}]
    text = message(tmp_path / "out", "train", **TRAINING, load=load, only="denoise", key_metric_name="denoise_psnr",
                   train_data=[{"image": str(volume)}], val_data=[{"image": str(volume)}])  # fmt: skip
    assert "volume.nii.gz" in text
    assert "spatial_dims" in text
    assert "overlay for volumes" in text


def test_truncated_volume(tmp_path: Path, volume: Path) -> None:
    truncate(volume)
    load = [{"_target_": "LoadSampled", "keys": "image"}]
    text = message(tmp_path / "out", "train", "volume", **TRAINING, load=load, only="denoise",
                   key_metric_name="denoise_psnr", train_data=[{"image": str(volume)}])  # fmt: skip
    assert "volume.nii.gz" in text
    assert "truncated" in text


def test_unknown_task_in_weights(tmp_path: Path) -> None:
    text = message(tmp_path, "train", **SMALL, alpha={"denoize": 0.5})
    assert "unknown task(s) ['denoize']" in text
    assert "['denoise', 'segment']" in text


def test_unknown_task_in_only(tmp_path: Path) -> None:
    assert "the declared tasks are ['denoise', 'segment']" in message(tmp_path, "train", **SMALL, only="depth")


def test_unknown_key_metric(tmp_path: Path) -> None:
    text = message(tmp_path, "train", **SMALL, key_metric_name="segment_dice")
    assert "segment_dice" in text
    assert "segment_miou" in text


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    run_bundle(folder, "train", **SMALL | {"trainer#max_epochs": 1})
    return folder / "checkpoints" / "best.pt"


@pytest.mark.parametrize("other", [{"features": [4, 8]}, {"network_def#connectivity": "shared"}, {"only": "segment"}])
def test_checkpoint_of_another_architecture(tmp_path: Path, checkpoint: Path, other: dict[str, Any]) -> None:
    text = message(tmp_path, "train", "evaluate", **SMALL | other, ckpt_path=str(checkpoint))
    assert str(checkpoint) in text
    assert "another architecture" in text


def test_corrupt_checkpoint(tmp_path: Path, checkpoint: Path) -> None:
    corrupt = tmp_path / "corrupt.pt"
    corrupt.write_bytes(checkpoint.read_bytes())
    truncate(corrupt)
    text = message(tmp_path, "train", "evaluate", **SMALL, ckpt_path=str(corrupt))
    assert "corrupt.pt" in text
    assert "truncated, corrupt" in text


def test_checkpoint_that_is_no_tensors(tmp_path: Path) -> None:
    path = tmp_path / "code.pt"
    torch.save({"network": Path("x")}, path)  # unpickling it would import and call
    text = message(tmp_path, "train", "evaluate", **SMALL, ckpt_path=str(path))
    assert "code.pt" in text
    assert "holds more than tensors" in text


def test_checkpoint_without_states(tmp_path: Path) -> None:
    torch.save(torch.zeros(3), tmp_path / "weights.pt")
    text = message(tmp_path, "train", "evaluate", **SMALL, ckpt_path=str(tmp_path / "weights.pt"))
    assert "weights.pt holds a Tensor" in text


def test_missing_checkpoint(tmp_path: Path) -> None:
    text = message(tmp_path, "inference")
    assert "There is no checkpoint" in text
    assert str(tmp_path / "checkpoints" / "best.pt") in text


def test_non_finite_loss_stops_after_a_checkpoint(tmp_path: Path) -> None:
    # Infinite targets cannot be loaded; a diverging optimizer makes a loss overflow in the second iteration.
    with pytest.raises(RuntimeError) as caught:
        run_bundle(tmp_path, "train", **SMALL, learning_rate=1e30)
    error: BaseException | None = caught.value
    while error is not None and not isinstance(error, NonFiniteLossError):
        error = error.__cause__ or error.__context__
    assert error is not None
    assert "iteration 2" in str(error)
    assert "denoise" in str(error)
    stopped = torch.load(tmp_path / "checkpoints" / "stopped.pt", weights_only=True)
    assert {"network", "optimizer", "trainer"} <= set(stopped)
