"""What is wrong with the overlays of a prediction is told by file and name."""

from pathlib import Path

import pytest

from monai_mtunet.bundle.configuration_files import configuration_files
from monai_mtunet.bundle.trained_bundle import TrainedBundle
from monai_mtunet.evaluation.bundle_tasks import bundle_tasks

BUNDLES = Path(__file__).parents[2] / "bundles"


OF_TRAINING = {"train.json", "inference.json", "metadata.json"}


@pytest.mark.parametrize("bundle", sorted(path.name for path in BUNDLES.iterdir() if path.is_dir()))
def test_overlays_pass_but_those_of_training_alone(bundle):
    overlays = [path for path in (BUNDLES / bundle).glob("*.json") if path.name not in OF_TRAINING]
    refused = {overlay.stem for overlay in overlays if is_of_training(BUNDLES / bundle, overlay)}
    assert refused == {
        "umc": {"classical", "denoiser_frozen", "evaluate", "gradient_balancing"},
        "mtunet": {"dwa", "equal_weights", "evaluate", "fixed_weights"},
        "hourglass": {"evaluate", "uncertainty"},
    }.get(bundle, {"evaluate"})


def is_of_training(bundle, overlay):
    try:
        configuration_files(bundle, [overlay])
    except ValueError as error:
        if f"{overlay} changes" in str(error) and "leave it out" in str(error):
            return True
        raise
    return False


@pytest.mark.parametrize("reads", [lambda *given: TrainedBundle(*given), lambda *given: bundle_tasks(*given)])
@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("mistyped.json", '{"roisize": [64, 64]}', "mistyped.json adds 'roisize'.* Did you mean 'roi_size'"),
        ("comma.json", '{"roi_size": [64, 64],}', "comma.json is neither JSON nor YAML: correct it. .*line 1 column 2"),
        ("empty.json", "", "empty.json is neither JSON nor YAML"),
        ("list.csv", "image,segment", "list.csv is neither JSON nor YAML"),
        ("list.json", "[1, 2]", "list.json holds no items"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, reads, name, content, told):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=told):
        reads(BUNDLES / "umc", [str(tmp_path / name)])


def test_an_overlay_of_training_does_for_a_bundle_without_its_training(tmp_path):
    """Such as a packed one: `batch_size` is no mistyped `patch_size`, which the overlay gives as well."""
    (tmp_path / "inference.json").write_bytes((BUNDLES / "umc" / "inference.json").read_bytes())
    overlay = BUNDLES / "umc" / "hippocampus.json"
    assert configuration_files(tmp_path, [overlay]) == [str(tmp_path / "inference.json"), str(overlay)]


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"is no bundle: there is neither inference\.json nor configs"):
        configuration_files(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"absent\.json does not exist"):
        configuration_files(BUNDLES / "umc", [tmp_path / "absent.json"])
