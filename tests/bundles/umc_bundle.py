"""Running the UMC bundle on a small problem, as the tests do."""

from pathlib import Path
from typing import Any

from monai.bundle import run

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "bundles" / "umc"

# Eight scenes of 32 x 32 and a network of 3 levels: seconds, where the default takes minutes.
SMALL: dict[str, Any] = {
    "train_data": "$monai_mtunet.data.synthetic_datalist(8, 'train')",
    "val_data": "$monai_mtunet.data.synthetic_datalist(4, 'val')",
    "load#0#spatial_size": 32,
    "features": [4, 8, 16],
    "batch_size": 4,
    "trainer#max_epochs": 2,
}


def configs(*names: str) -> list[str]:
    return [str(BUNDLE / f"{name}.json") for name in names]


def run_bundle(output_dir: Path, *names: str, **overrides: Any) -> None:
    """`python -m monai.bundle run` in this process, on the small problem where it is the synthetic one."""
    run(
        config_file=configs(*names),
        logging_file=str(BUNDLE / "logging.conf"),
        meta_file=str(BUNDLE / "metadata.json"),
        output_dir=str(output_dir),
        **overrides,
    )
