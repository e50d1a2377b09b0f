"""One small run of each bundle, which the tests of its class share."""

from pathlib import Path

import pytest
import torch

from .left_by_a_run import checkpoint


@pytest.fixture(scope="class")
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output folder of two epochs, from which evaluation, inference and resumed runs start."""
    bundle = request.cls.bundle
    folder = tmp_path_factory.mktemp(bundle.name)
    bundle.train(folder, max_epochs=2, report=True, **{"validate#handlers#0#panel_interval": 1})
    return folder


@pytest.fixture(scope="class")
def evaluated(request: pytest.FixtureRequest, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output folder of the evaluation of its best epoch, as if that were the seventh."""
    folder = tmp_path_factory.mktemp("evaluated")
    best = checkpoint(trained, "best")
    best["trainer"]["iteration"] = 7 * best["trainer"]["epoch_length"]
    torch.save(best, folder / "seventh.pt")
    request.cls.bundle.evaluate(folder, **request.cls.evaluation, ckpt_path=str(folder / "seventh.pt"))
    return folder


@pytest.fixture(scope="class")
def predictions(request: pytest.FixtureRequest, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the predictions for one image."""
    folder = tmp_path_factory.mktemp("predicted")
    request.cls.bundle.predict(folder, ckpt_path=str(trained / "checkpoints" / "best.pt"))
    return folder / "predictions"
