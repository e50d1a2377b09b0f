"""Running a bundle as `python -m monai.bundle run` does, in this process."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser, run

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("MONAI_DATA_DIRECTORY", "data"))


def needs_data(*parts: str) -> pytest.MarkDecorator:
    """Skip a test of a data set where there is none: who has some of them runs the tests of those."""
    return pytest.mark.skipif(
        not DATA.joinpath(*parts).exists(), reason=f"MONAI_DATA_DIRECTORY holds no {'/'.join(parts)}"
    )


@dataclass(frozen=True)
class BundleUnderTest:
    """A folder of `bundles/`, and a problem so small that it trains in a second.

    Args:
        name: of the folder.
        small: overrides of training and evaluation.
        small_inference: overrides of inference.
    """

    name: str
    small: Mapping[str, Any] = field(default_factory=dict)
    small_inference: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return ROOT / "bundles" / self.name

    @property
    def files(self) -> dict[str, str]:
        return {
            "meta_file": str(self.folder / "metadata.json"),
            "logging_file": str(self.folder / "logging.conf"),
        }

    def configs(self, *names: str) -> list[str]:
        return [str(self.folder / f"{name}.json") for name in names]

    def parsed(self, *names: str, **overrides: Any) -> ConfigParser:
        """The configuration, with the overrides alone."""
        parser = ConfigParser()
        parser.read_config(self.configs(*names))
        parser.update(overrides)
        parser.parse()
        return parser

    def run(self, output_dir: Path, *names: str, **overrides: Any) -> None:
        """Run the files of these names, with the overrides alone."""
        run(config_file=self.configs(*names), **self.files, output_dir=str(output_dir), **overrides)

    def train(self, output_dir: Path, *overlays: str, **overrides: Any) -> None:
        """Train the small problem. Without panels and report, which take longer than the training."""
        no_pictures = {"validate#handlers#0#panel_interval": 1000, "report": False}
        self.run(output_dir, "train", *overlays, **no_pictures | {**self.small, **overrides})

    def evaluate(self, output_dir: Path, *overlays: str, **overrides: Any) -> None:
        """Evaluate the small problem: by default with the best checkpoint of the folder."""
        self.run(output_dir, "train", *overlays, "evaluate", **{**self.small, **overrides})

    def predict(self, output_dir: Path, *overlays: str, **overrides: Any) -> None:
        """Predict with the small problem's network: by default with the best checkpoint of the folder."""
        self.run(output_dir, "inference", *overlays, **{**self.small_inference, **overrides})
