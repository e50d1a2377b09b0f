"""What the UMC bundle answers to bad input: each error names what is wrong and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from PIL import Image

from monai_mtunet.engines import NonFiniteLossError

from ..refusing import refusing
from .umc_bundle import UMC

TRAINING = {"features": [4, 8, 16], "batch_size": 4, "max_epochs": 1}


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frozen_parts": ["decoder"], "frozen_epochs": 5}, "UMC has no part 'decoder' with parameters; there are"),
        ({"frozen_epochs": 5}, "frozen_epochs is 5, but no part is named: give frozen_parts"),
        ({"frozen_parts": "encoder", "frozen_epochs": -1}, "epochs must not be negative, got -1"),
    ],
    ids=["no part of the network", "no part", "negative"],
)
def test_nothing_that_could_be_frozen(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with refusing(message):
        UMC.train(tmp_path, **options)


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
    with refusing(*expected):
        UMC.run(tmp_path / "out", "train", "camvid", **TRAINING, dataset_dir=str(camvid))


def test_whole_data_set_trains(camvid: Path, tmp_path: Path) -> None:
    small = {**TRAINING, "augment#0#roi_size": [32, 32], "dataset_dir": str(camvid)}
    UMC.run(tmp_path / "out", "train", "camvid", **small)
    assert (tmp_path / "out" / "checkpoints" / "best.pt").is_file()


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    path = tmp_path / "volume.nii.gz"
    data = np.random.default_rng(0).normal(size=(20, 22, 18)).astype(np.float32)
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)
    return path


def denoising(volume: Path) -> dict[str, Any]:
    return {
        **TRAINING,
        "load": [{"_target_": "LoadSampled", "tasks": "@active_tasks"}],
        "only": "denoise",
        "key_metric_name": "denoise_psnr",
        "train_data": [{"image": str(volume)}],
        "val_data": [{"image": str(volume)}],
    }


def test_volume_for_a_2d_network(tmp_path: Path, volume: Path) -> None:
    with refusing("volume.nii.gz", "spatial_dims", "overlay for volumes"):
        UMC.run(tmp_path / "out", "train", **denoising(volume))


def test_truncated_volume(tmp_path: Path, volume: Path) -> None:
    truncate(volume)
    with refusing("volume.nii.gz", "truncated"):
        UMC.run(tmp_path / "out", "train", "volume", **denoising(volume))


def test_unknown_task_in_weights(tmp_path: Path) -> None:
    with refusing("unknown task(s) ['denoize']", "['denoise', 'segment']"):
        UMC.train(tmp_path, weights={"denoize": 0.5})


def test_unknown_task_in_only(tmp_path: Path) -> None:
    with refusing("the declared tasks are ['denoise', 'segment']"):
        UMC.train(tmp_path, only="depth")


def test_unknown_key_metric(tmp_path: Path) -> None:
    with refusing("segment_dice", "segment_miou"):
        UMC.train(tmp_path, key_metric_name="segment_dice")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    UMC.train(folder)
    return folder / "checkpoints" / "best.pt"


@pytest.mark.parametrize("other", [{"features": [4, 8]}, {"network_def#connectivity": "shared"}, {"only": "segment"}])
def test_checkpoint_of_another_architecture(tmp_path: Path, checkpoint: Path, other: dict[str, Any]) -> None:
    with refusing(str(checkpoint), "another architecture"):
        UMC.evaluate(tmp_path, **other, ckpt_path=str(checkpoint))


def test_corrupt_checkpoint(tmp_path: Path, checkpoint: Path) -> None:
    corrupt = tmp_path / "corrupt.pt"
    corrupt.write_bytes(checkpoint.read_bytes())
    truncate(corrupt)
    with refusing("corrupt.pt", "truncated, corrupt"):
        UMC.evaluate(tmp_path, ckpt_path=str(corrupt))


def test_checkpoint_that_is_no_tensors(tmp_path: Path) -> None:
    path = tmp_path / "code.pt"
    torch.save({"network": Path("x")}, path)  # unpickling it would import and call
    with refusing("code.pt", "holds more than tensors"):
        UMC.evaluate(tmp_path, ckpt_path=str(path))


def test_checkpoint_without_states(tmp_path: Path) -> None:
    torch.save(torch.zeros(3), tmp_path / "weights.pt")
    with refusing("weights.pt holds a Tensor"):
        UMC.evaluate(tmp_path, ckpt_path=str(tmp_path / "weights.pt"))


def test_missing_checkpoint(tmp_path: Path) -> None:
    with refusing("There is no checkpoint", str(tmp_path / "checkpoints" / "best.pt")):
        UMC.predict(tmp_path)


def test_non_finite_loss_stops_after_a_checkpoint(tmp_path: Path) -> None:
    # Infinite targets cannot be loaded; a diverging optimizer makes a loss overflow in the second iteration.
    with pytest.raises(RuntimeError) as caught:
        UMC.train(tmp_path, learning_rate=1e30)
    error: BaseException | None = caught.value
    while error is not None and not isinstance(error, NonFiniteLossError):
        error = error.__cause__ or error.__context__
    assert error is not None
    assert "iteration 2" in str(error)
    assert "denoise" in str(error)
    stopped = torch.load(tmp_path / "checkpoints" / "stopped.pt", weights_only=True)
    assert {"network", "optimizer", "trainer"} <= set(stopped)
