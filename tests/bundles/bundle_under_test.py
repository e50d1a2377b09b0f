"""Running a bundle as `python -m monai.bundle run` does, in this process."""

import csv
import os
from dataclasses import dataclass
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
    """A folder of `bundles/`."""

    name: str

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
        parser = ConfigParser()
        parser.read_config(self.configs(*names))
        parser.update(overrides)
        parser.parse()
        return parser

    def run(self, output_dir: Path, *names: str, **overrides: Any) -> None:
        run(config_file=self.configs(*names), **self.files, output_dir=str(output_dir), **overrides)


def saved_metrics(folder: Path) -> dict[str, float]:
    """What the evaluation of a bundle with this output folder measured."""
    with open(folder / "evaluation" / "metrics.csv") as file:
        return {name: float(value) for name, value in csv.reader(file)}
