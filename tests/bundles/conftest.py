"""One small run of each bundle, which the tests of its class share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="class")
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output folder of two epochs, from which evaluation, inference and resumed runs start."""
    bundle = request.cls.bundle
    folder: Path = tmp_path_factory.mktemp(bundle.name)
    bundle.train(folder, max_epochs=2, **{"validate#handlers#0#panel_interval": 1})
    return folder
