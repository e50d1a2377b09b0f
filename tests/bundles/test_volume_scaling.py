"""How the overlays of volumes scale intensities: one by one for all, since each has its own list of loading steps."""

import json
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor

from monai_mtunet.transforms import ScaleVolumeRanged

from .bundle_under_test import ROOT

OVERLAYS = sorted(
    f"{file.parent.name}/{file.stem}"
    for file in (ROOT / "bundles").glob("*/*.json")
    if json.loads(file.read_text()).get("spatial_dims") == 3
)


def scaling(overlay: str, kind: str) -> Any:
    folder, name = overlay.split("/")
    parser = ConfigParser()
    parser.read_config([str(ROOT / "bundles" / folder / f"{file}.json") for file in (kind, name)])
    parser.parse()
    places = [i for i, step in enumerate(parser["load"]) if step["_target_"] == "ScaleVolumeRanged"]
    assert len(places) == 1, f"{overlay} scales its volumes {len(places)} times"
    return parser.get_parsed_content(f"load#{places[0]}")


def test_every_bundle_has_volumes() -> None:
    assert {overlay.split("/")[0] for overlay in OVERLAYS} == {"hourglass", "mtan", "mtunet", "sunet", "umc"}


@pytest.mark.parametrize("kind", ["train", "inference"])
@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("value", [-32768.0, 32767.0])
def test_a_dead_voxel_and_another_contrast_change_nothing_else(overlay: str, kind: str, value: float) -> None:
    scale = scaling(overlay, kind)
    assert isinstance(scale, ScaleVolumeRanged)
    t1 = torch.rand(1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    dead = 300 * t1.clone()
    dead[0, 8, 8, 8] = value
    alone, both = (scale({"image": MetaTensor(image)})["image"] for image in (t1, torch.cat([t1, dead])))
    assert torch.allclose(both[0], alone[0], atol=1e-6)  # T1 does not know of T2
    whole = torch.ones(16, 16, 16, dtype=torch.bool)
    whole[8, 8, 8] = False
    assert (both[1] - alone[0])[whole].abs().max() < 0.01
    assert both[1, 8, 8, 8].abs() <= 5
