import logging

import pytest
import torch
from monai.data import DataLoader, Dataset

from monai_mtunet.engines import TaskPreprocessing
from monai_mtunet.engines.checks.target_check import TargetCheck
from monai_mtunet.losses import MultiTaskLoss
from monai_mtunet.tasks import BoundingBoxTask, ClassificationTask, DepthTask, EdgeTask, SegmentationTask, TaskList
from monai_mtunet.transforms import LoadSampled, PaintBoxd


class Counting(Dataset):
    """A data set whose samples are never asked for: the check uses data and transform."""

    def __getitem__(self, index):
        raise AssertionError("random transforms must not run")


def check(tasks, data):
    tasks = TaskList(tasks)
    read = []
    load = [lambda entry: (read.append(entry), entry)[1], LoadSampled(tasks=tasks), PaintBoxd(tasks)]
    dataset = Counting(data, TaskPreprocessing(tasks, spatial_dims=2, in_channels=1, load=load))
    TargetCheck(tasks, MultiTaskLoss(tasks.losses()), DataLoader(dataset))()
    return len(read)


def sample(**targets):
    return {"image": torch.rand(1, 4, 4), **targets}


def labels(*values):
    return torch.tensor(values, dtype=torch.int16).repeat(16)[:16].view(1, 4, 4)


SEGMENT = SegmentationTask("segment", ["background", "cell"])


def test_the_first_sample_with_targets_is_enough():
    assert check([SEGMENT], [sample(segment=labels(0, 1))] * 5) == 1
    assert check([SEGMENT], [sample(segment=None)] * 4 + [sample(segment=labels(0, 1))]) == 1


def test_a_target_that_no_sample_has_is_refused():
    with pytest.raises(ValueError, match=r"'segment' has no target in any training sample.*\['image', 'segmnt'\]"):
        check([SEGMENT], [sample(segmnt=labels(0, 1))] * 3)
    with pytest.raises(ValueError, match="'depth' has no target"):
        check([DepthTask("depth")], [sample(depth=torch.full((1, 4, 4), torch.nan))])


@pytest.mark.parametrize(("task", "remedy"), [(SEGMENT, '"labels"'), (EdgeTask("segment"), "MapLabelValued.*")])
def test_masks_of_0_and_255_are_refused_with_the_remedy(task, remedy):
    with pytest.raises(ValueError, match=rf"are 0 or 255, and 255 stands for missing.*{remedy}.*\[0, 255\]"):
        check([task], [sample(segment=labels(0, 255))] * 3)
    assert check([task], [sample(segment=labels(0, 255)), sample(segment=labels(0, 1, 255))]) == 2


def test_labels_of_background_only_are_told(caplog):
    with caplog.at_level(logging.WARNING):
        check([SEGMENT], [sample(segment=labels(0))] * 3)
    assert "'segment': all training labels are 0" in caplog.text


def test_classes_and_boxes_of_whole_images():
    tasks = [ClassificationTask("classify", ["cat", "dog"]), BoundingBoxTask("box")]
    assert check(tasks, [sample(classify=0, box=[0, 0, 2, 2])]) == 1
    with pytest.raises(ValueError, match="'box' has no target"):
        check(tasks, [sample(classify=0)])
    with pytest.raises(ValueError, match="'classify' has no target"):
        check(tasks, [sample(box=[0, 0, 2, 2])])


def test_the_first_class_of_whole_images_is_no_background(caplog):
    with caplog.at_level(logging.WARNING):
        assert check([ClassificationTask("classify", ["cat", "dog"])], [sample(classify=0)] * 3) == 1
    assert not [record for record in caplog.records if record.name.startswith("monai_mtunet")]
