"""What targets are, told from their values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from monai_mtunet.planning.data import TargetKind, find_data

from .data_files import COLORS, label_map, noisy, save, scene

Make = Callable[[int], np.ndarray]


def parcels(seed: int) -> np.ndarray:
    """Eighty numbers, some beyond 8 bits."""
    return np.random.default_rng(seed).permutation(80).reshape(8, 10).repeat(12, 0).repeat(12, 1).astype(np.uint16) * 20


def instances(seed: int) -> np.ndarray:
    return np.arange(80, dtype=np.uint16).reshape(8, 10).repeat(5, 0).repeat(5, 1)[:, :48]


def unit_vectors(seed: int) -> np.ndarray:
    vectors = np.stack([scene(seed + axis) - 0.5 for axis in range(3)], -1) + 0.01
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def in_background(seed: int) -> np.ndarray:
    """One twentieth is not 0."""
    values = (scene(seed + 30) * 65535).astype(np.uint16)
    return np.where(np.indices(values.shape).max(0) < 10, values, 0).astype(np.uint16)


def eight_bits(seed: int) -> np.ndarray:
    return (scene(seed) * 255).astype(np.uint8)


KINDS: list[tuple[str, str, Make, TargetKind]] = [
    ("target", ".png", lambda n: label_map(n) * 100, TargetKind.SEGMENTATION),
    ("target", ".npy", lambda n: label_map(n).astype(np.float32), TargetKind.SEGMENTATION),
    ("target", ".png", parcels, TargetKind.SEGMENTATION),
    ("target", ".png", lambda n: COLORS[label_map(n)], TargetKind.COLORED_SEGMENTATION),
    ("target", ".png", eight_bits, TargetKind.RESTORATION),
    ("target", ".npy", lambda n: (scene(n) * 7).astype(np.float32), TargetKind.RESTORATION),
    ("target", ".jpg", eight_bits, TargetKind.RESTORATION),
    ("target", ".npy", lambda n: scene(n + 30).astype(np.float32), TargetKind.QUANTITY),
    ("target", ".npy", lambda n: 1 - scene(n), TargetKind.QUANTITY),
    ("target", ".npy", lambda n: np.where(label_map(n) == 0, np.nan, scene(n + 30)), TargetKind.QUANTITY),
    ("target", ".png", lambda n: eight_bits(n + 30), TargetKind.QUANTITY),
    ("target", ".png", lambda n: (scene(n + 30) * 65535).astype(np.uint16), TargetKind.DEPTH),
    ("target", ".png", in_background, TargetKind.DEPTH),
    ("target", ".png", lambda n: (scene(n) * 65535).astype(np.uint16), TargetKind.RESTORATION),
    ("target", ".tif", unit_vectors, TargetKind.NORMALS),
    ("depth", ".png", lambda n: (scene(n) * 65535).astype(np.uint16), TargetKind.DEPTH),
    ("disparity", ".npy", lambda n: scene(n).astype(np.float32), TargetKind.DISPARITY),
    ("distance", ".npy", lambda n: scene(n).astype(np.float32), TargetKind.DISTANCE),
    ("edges", ".png", lambda n: (label_map(n) == 1).astype(np.uint8), TargetKind.EDGES),
    ("edges", ".npy", lambda n: scene(n + 30).astype(np.float32), TargetKind.QUANTITY),
    ("instances", ".png", instances, TargetKind.INSTANCES),
    ("depth", ".png", lambda n: COLORS[label_map(n)], TargetKind.COLORED_SEGMENTATION),
    ("clean", ".npy", lambda n: 1 - scene(n), TargetKind.RESTORATION),
    ("clean", ".png", label_map, TargetKind.SEGMENTATION),
]


def write(folder: Path, name: str, ending: str, make: Make, cases: int = 3) -> Path:
    for number in range(cases):
        save(folder / "images" / f"{number}.png", noisy(number))
        save(folder / name / f"{number}{ending}", make(number))
    return folder


@pytest.mark.parametrize(("name", "ending", "make", "kind"), KINDS)
def test_kinds(tmp_path: Path, name: str, ending: str, make: Make, kind: TargetKind) -> None:
    assert find_data(write(tmp_path, name, ending, make)).targets == {name: kind}


def test_several_channels_correlate_with_those_of_the_image(tmp_path: Path) -> None:
    for number in range(2):
        image, clean = (np.stack([make(number + channel) for channel in (0, 5, 9)], -1) for make in (noisy, eight_bits))
        save(tmp_path / "images" / f"{number}.png", image)
        save(tmp_path / "sharp" / f"{number}.png", clean)
        save(tmp_path / "maps" / f"{number}.tif", (clean[::-1, ::-1] / 9).astype(np.float32))
    assert find_data(tmp_path).targets == {"maps": TargetKind.QUANTITY, "sharp": TargetKind.RESTORATION}


def test_strong_noise_hides_no_restoration(tmp_path: Path) -> None:
    for number in range(3):
        noise = np.random.default_rng(number).normal(0, 0.5, (40, 48))
        save(tmp_path / "images" / f"{number}.npy", scene(number) + noise)
        save(tmp_path / "sharp" / f"{number}.npy", scene(number))
    assert find_data(tmp_path).targets == {"sharp": TargetKind.RESTORATION}


def test_other_sizes_are_no_restoration(tmp_path: Path) -> None:
    write(tmp_path, "small", ".npy", lambda n: scene(n)[::2, ::2].astype(np.float32))
    assert find_data(tmp_path).targets == {"small": TargetKind.QUANTITY}


@pytest.mark.parametrize(
    ("ending", "make", "message"),
    [
        (".jpg", lambda n: label_map(n) * 100, r"'labels' is cannot be told: .*0\.jpg is JPEG.*save them as PNG"),
        (
            ".png",
            lambda n: np.stack([eight_bits(n + i) for i in (30, 31, 32)], -1),
            r"has 3 channels of uint8.*KIND one of segm",
        ),
    ],
)
def test_what_cannot_be_told_must_be_said(tmp_path: Path, ending: str, make: Make, message: str) -> None:
    write(tmp_path, "labels", ending, make)
    with pytest.raises(ValueError, match=message):
        find_data(tmp_path)
    assert find_data(tmp_path, {"labels": "segmentation"}).targets == {"labels": TargetKind.SEGMENTATION}


def test_damaged_files_do_not_hide_what_others_tell(tmp_path: Path) -> None:
    write(tmp_path, "labels", ".png", label_map)
    (tmp_path / "labels" / "0.png").write_bytes(b"damaged")
    (tmp_path / "images" / "1.png").write_bytes(b"damaged")
    (tmp_path / "images" / "0.png").write_bytes(b"damaged")
    found = find_data(tmp_path)
    assert found.targets == {"labels": TargetKind.SEGMENTATION}
    assert found.channels == ("0",)
    for number in range(3):
        (tmp_path / "labels" / f"{number}.png").write_bytes(b"damaged")
    with pytest.raises(OSError, match=r"labels/0\.png cannot be read"):
        find_data(tmp_path)


def test_few_of_many_files_are_read_spread_over_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from monai_mtunet.planning.data import target_values

    opened: list[str] = []
    whole = target_values.open_image

    def counted(files: list[str]) -> object:
        opened.append(Path(files[0]).stem)
        return whole(files)

    monkeypatch.setattr(target_values, "open_image", counted)
    find_data(write(tmp_path, "labels", ".png", label_map, cases=20))
    assert len(set(opened)) == 6
    assert {"0", "9"} <= set(opened)


def test_of_large_images_the_middle_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from monai_mtunet.planning.data import target_values

    monkeypatch.setattr(target_values, "_MOST_VOXELS", 400)

    def framed(number: int) -> np.ndarray:
        values = (scene(number + 30) * 60000).astype(np.uint16)
        values[14:26, 17:31] = 3
        return values

    assert find_data(write(tmp_path, "target", ".png", framed)).targets == {"target": TargetKind.DEPTH}
    monkeypatch.setattr(target_values, "_MOST_VOXELS", 40)
    assert find_data(tmp_path).targets == {"target": TargetKind.SEGMENTATION}
