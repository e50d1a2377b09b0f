"""One small training of a bundle, in 2D and in 3D, whose pages the tests look at."""

from pathlib import Path

import pytest

from monai_mtunet.planning.data import find_data
from monai_mtunet.planning.fingerprint import fingerprint_data
from monai_mtunet.report.data.data_page import write_data_page

from ..bundles.umc.umc_bundle import SMALL_VOLUME, UMC
from .small_data import write_volumes


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "umc"
    UMC.train(folder, max_epochs=2, report=True, **{"validate#handlers#0#panel_interval": 1})
    return folder


@pytest.fixture(scope="session")
def trained_on_volumes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "volume"
    UMC.train(folder, "volume", **SMALL_VOLUME, report=True)
    return folder


@pytest.fixture(scope="session")
def data_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_volumes(folder / "data")
    data = find_data(folder / "data", {"labels": "segmentation", "clean": "restoration"})
    found = fingerprint_data(data, folder / "data.json", workers=1)
    return write_data_page(data, found, folder / "page.html")
