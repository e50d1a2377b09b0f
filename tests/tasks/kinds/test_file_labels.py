import pickle

import pytest
import torch
from monai.data import MetaTensor

from monai_mtunet.tasks import SavedAs, SegmentationTask, TaskList

CLASSES = ["background", "liver", "spleen"]


def test_without_labels_files_hold_class_numbers():
    task = SegmentationTask("segment", CLASSES)
    assert TaskList([task]).class_of_label == {}
    assert task.label_of_class == (0, 1, 2)
    assert task.to_file(torch.tensor([[0, 2, 1]])).tolist() == [[0, 2, 1]]
    assert task.saved_as is SavedAs.LABELS


@pytest.mark.parametrize(
    ("labels", "ignored", "class_of", "written"),
    [
        ([0, 1, 3], [], {0: 0, 1: 1, 3: 2, 255: 255}, [0, 1, 3]),
        ([0, [1, 2], 4], [], {0: 0, 1: 1, 2: 1, 4: 2, 255: 255}, [0, 1, 4]),
        ([0, 255, 7], [], {0: 0, 255: 1, 7: 2}, [0, 255, 7]),  # 255 is a class, not missing
        ([2, 1, 0], [-1, 9], {2: 0, 1: 1, 0: 2, -1: 255, 9: 255, 255: 255}, [2, 1, 0]),
        (None, [7], {0: 0, 1: 1, 2: 2, 7: 255, 255: 255}, [0, 1, 2]),
        ([500, 501, 60000], [], {500: 0, 501: 1, 60000: 2, 255: 255}, [500, 501, 60000]),
    ],
)
def test_labels_both_ways(labels, ignored, class_of, written):
    task = pickle.loads(pickle.dumps(SegmentationTask("segment", CLASSES, labels=labels, ignored_labels=ignored)))
    assert TaskList([task]).class_of_label == {"segment": class_of}
    affine = torch.diag(torch.tensor([2.0, 1, 1, 1], dtype=torch.float64))
    saved = task.to_file(MetaTensor(torch.arange(3.0).view(1, 3, 1, 1), affine=affine))
    assert saved.flatten().tolist() == written
    assert torch.equal(saved.affine, affine)
    assert task.saved_as is (SavedAs.IDS if max(written) > 255 else SavedAs.LABELS)
    assert task.file_legend() == dict(zip(written, task.legend().items(), strict=True))


@pytest.mark.parametrize(
    ("labels", "ignored", "message"),
    [
        ([0, 1], [], r"one entry for each of 3 classes, got \[0, 1\]"),
        ([0, 1, 1], [], "each given once"),
        ([0, [1, 2], 2], [], "each given once"),
        ([0, 1, 2], [2], "each given once"),
        ([0, 1, 2.5], [], "whole numbers"),
        ([0, 1, []], [], r"must be in 0\.\.65535"),
        ([0, -1, 2], [], r"must be in 0\.\.65535"),
        ([0, 1, 70000], [], r"must be in 0\.\.65535"),
    ],
)
def test_labels_that_number_no_classes(labels, ignored, message):
    with pytest.raises(ValueError, match=f"Task 'segment': .*{message}"):
        SegmentationTask("segment", CLASSES, labels=labels, ignored_labels=ignored)
