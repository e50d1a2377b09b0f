import numpy as np
import pytest
import torch
from PIL import Image

from monai_mtunet.tasks import SegmentationTask, TaskList
from monai_mtunet.transforms import CheckSampled, ColorsToClassesd, LoadSampled

COLORS = [[128, 64, 128], [0, 0, 142], [220, 20, 60]]
VOID = [[0, 0, 0], [1, 2, 3]]
TASKS = TaskList([SegmentationTask("segment", ["road", "car", "person"])])
NUMBERS = np.random.default_rng(0).integers(0, 5, (6, 8))
PIXELS = np.array([*COLORS, *VOID], np.uint8)[NUMBERS]


def load(file):
    return LoadSampled(tasks=TASKS)({"image": file, "segment": file})


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colors_of_files_become_classes(tmp_path, mode):
    Image.fromarray(PIXELS).convert(mode).save(tmp_path / "l.png")
    sample = ColorsToClassesd("segment", COLORS, VOID)(load(tmp_path / "l.png"))
    assert np.array_equal(sample["segment"][0], np.array([0, 1, 2, 255, 255])[NUMBERS])
    assert sample["segment"].dtype == torch.int16
    assert sample["segment"].meta["filename_or_obj"].endswith("l.png")
    CheckSampled(2, tasks=TASKS)(sample)


def test_what_is_ignored_has_the_tasks_number():
    pixels = torch.from_numpy(PIXELS.transpose(2, 0, 1).copy())
    classes = ColorsToClassesd("x", COLORS, VOID, ignore_index=-1)({"x": pixels})["x"]
    assert classes.unique().tolist() == [-1, 0, 1, 2]


def test_unknown_colors_are_named_with_their_file(tmp_path):
    pixels = PIXELS.copy()
    pixels[0, 0] = 9, 8, 7
    Image.fromarray(pixels).save(tmp_path / "l.png")
    message = r"segment \(.*l\.png, 6 x 8\) has 1 pixels of 1 colors that are not listed: \(9, 8, 7\)\. Add them"
    with pytest.raises(ValueError, match=message):
        ColorsToClassesd("segment", COLORS, VOID)(load(tmp_path / "l.png"))


def test_numbers_are_no_colors(tmp_path):
    Image.fromarray(NUMBERS.astype(np.uint8)).save(tmp_path / "l.png")
    with pytest.raises(ValueError, match=r"has 1 channel\(s\), but colors have three"):
        ColorsToClassesd("segment", COLORS, VOID)(load(tmp_path / "l.png"))


def test_colors_are_checked():
    with pytest.raises(ValueError, match=r"\(0, 0, 142\) is given twice"):
        ColorsToClassesd("x", COLORS, [[0, 0, 142]])
    for color in ([0, 0], [0, 0, 256]):
        with pytest.raises(ValueError, match="must be"):
            ColorsToClassesd("x", [color])


def test_targets_may_be_absent():
    assert ColorsToClassesd("x", COLORS, allow_missing_keys=True)({}) == {}
