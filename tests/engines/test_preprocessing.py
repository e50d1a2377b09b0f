"""The order of a bundle's slots, and what stands between them."""

import pytest
import torch
from monai.data import CacheDataset
from monai.transforms import MapTransform, NormalizeIntensityd, Randomizable, Spacingd

from monai_mtunet.engines import TaskPreprocessing
from monai_mtunet.tasks import DepthTask, RestorationTask, SegmentationTask, TaskList

TASKS = TaskList([RestorationTask("denoise", 1), SegmentationTask("segment", ["a", "b"]), DepthTask("depth")])


class Note(MapTransform):
    """Writes into the image which slots it went through."""

    def __init__(self, place):
        super().__init__("image")
        self.place = place

    def __call__(self, data):
        image = data["image"].clone()
        image[0, 0, int(image[0, 0, -1])] = self.place
        image[0, 0, -1] += 1
        return data | {"image": image}


class NoteAtRandom(Note, Randomizable):
    """The same, where a cache ends."""


SLOTS = ("load", "targets", "degrade_once", "self_supervision", "augment", "degrade", "normalize")
NOTES = {name: [Note(place)] for place, name in enumerate(SLOTS, start=1)}


def places(sample):
    row = sample["image"][0, 0]
    return row[: int(row[-1])].tolist()


def test_slots_are_in_order_in_training_and_validation():
    training = TaskPreprocessing(TASKS, 2, 1, **NOTES)
    assert places(training({"image": torch.zeros(1, 2, 12)})) == [1, 2, 3, 4, 5, 6, 7]
    validation = training.for_validation([Note(30)], [Note(40)], [Note(50)])
    assert places(validation({"image": torch.zeros(1, 2, 12)})) == [1, 2, 30, 40, 50, 7]
    assert places(training.with_targets({"image": torch.zeros(1, 2, 12)})) == [1, 2, 3, 4]


def test_what_is_deterministic_is_the_same_object_in_both():
    training = TaskPreprocessing(TASKS, 2, 1, **NOTES)
    validation = training.for_validation()
    for name in ("load", "targets", "normalize"):
        assert NOTES[name][0] in training.transforms
        assert NOTES[name][0] in validation.transforms


def test_missing_targets_are_filled_and_all_else_is_dropped():
    sample = TaskPreprocessing(TASKS, 2, 1, load=[])({"image": torch.zeros(1, 2, 3), "depth": None, "camera": "x"})
    assert list(sample) == ["image", "denoise", "segment", "depth"]
    assert sample["segment"].unique().tolist() == [255]
    assert sample["depth"].isnan().all()
    kept = TaskPreprocessing(TASKS, 2, 1, load=[], keep="camera")({"image": torch.zeros(1, 2, 3), "camera": "x"})
    assert kept["camera"] == "x"


def test_a_sample_is_checked():
    wrong = {"image": torch.zeros(1, 2, 3), "segment": torch.full((1, 2, 3), 7, dtype=torch.int16)}
    with pytest.raises(RuntimeError) as error:
        TaskPreprocessing(TASKS, 2, 1, load=[])(wrong)
    assert "holds [7], but its 2 classes" in str(error.value.__cause__)
    with pytest.raises(RuntimeError) as error:
        TaskPreprocessing(None, 2, 3, load=[])(wrong)
    assert "has 1 channels, but in_channels is 3" in str(error.value.__cause__)


def test_a_cache_ends_at_the_first_random_step():
    steps = {name: [NoteAtRandom(place)] if name == "augment" else [Note(place)] for place, name in enumerate(SLOTS, 1)}
    data = CacheDataset([{"image": torch.zeros(1, 2, 12)}], TaskPreprocessing(TASKS, 2, 1, **steps), progress=False)
    assert places(data._cache[0]) == [1, 2, 3, 4]
    assert places(data[0]) == [1, 2, 3, 4, 5, 6, 7]


def test_at_inference_there_is_the_image_alone():
    sample = TaskPreprocessing(None, 2, 1, load=[])({"image": torch.zeros(1, 2, 3), "segment": torch.zeros(1, 2, 3)})
    assert list(sample) == ["image"]


def test_at_inference_steps_pass_by_targets_and_the_trainings_own_keep_their_demands():
    step = Spacingd(["image", "segment"], pixdim=(2, 2, 2), mode=["bilinear", "nearest"])
    sample = TaskPreprocessing(None, 3, 1, load=[step])({"image": torch.rand(1, 8, 8, 8)})
    assert max(sample["image"].shape[1:]) < 8
    with pytest.raises(KeyError, match="segment"):
        step({"image": torch.rand(1, 8, 8, 8)})


@pytest.mark.parametrize(("mean", "std", "wrong"), [([0.4], [0.2, 0.2], "mean"), ([0.4, 0.3], [0.2] * 3, "std")])
def test_mean_and_std_have_one_number_per_channel(mean, std, wrong):
    step = NormalizeIntensityd("image", subtrahend=mean, divisor=std, channel_wise=True)
    with pytest.raises(ValueError, match=rf"^{wrong} has \d number\(s\), but images have 2 channel\(s\)"):
        TaskPreprocessing(None, 3, 2, load=[], normalize=[step])


@pytest.mark.parametrize(
    ("slot", "steps", "message"),
    [
        ("load", "LoadSampled", "\"load\" is 'LoadSampled': give a list of transforms"),
        ("augment", None, '"augment" is None: give a list'),
        ("targets", [{"keys": "image"}], '"targets#0" is {.*}, which is no transform: name its class'),
    ],
)
def test_slots_hold_transforms(slot, steps, message):
    with pytest.raises(ValueError, match=message):
        TaskPreprocessing(None, 2, 1, **{"load": [], slot: steps})
