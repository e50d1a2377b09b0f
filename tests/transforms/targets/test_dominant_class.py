import pytest
import torch
from monai.data import MetaTensor

from monai_mtunet.data import SYNTHETIC, LoadSyntheticd
from monai_mtunet.tasks import ClassificationTask, TaskList
from monai_mtunet.transforms import DominantClassd, FillMissingTargetsd


def dominant_class(*arguments, **more):
    """The class of a label map."""
    transform = DominantClassd("segment", "classify", *arguments, **more)
    return lambda labels: transform({"segment": labels})["classify"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 0, 0, 0, 2, 2, 1], 1),  # the background is no class
        ([0, 1, 4, 4, 255, 255, 255], 3),  # nor is what has no label
        ([4, 1, 0, 4, 1, 0, 3], 0),  # of equally frequent ones the first
        ([0, 0, 0, 255, 255, 0, 0], -1),
    ],
)
def test_the_class_of_most_voxels(values, expected):
    result = dominant_class(labels=[1, 2, 3, 4])(MetaTensor(torch.tensor([[values]], dtype=torch.int16)))
    assert result.dtype == torch.int64
    assert result.tolist() == [expected]
    assert not isinstance(result, MetaTensor)


def test_classes_are_numbered_by_the_order_of_labels_in_3d():
    labels = torch.zeros(1, 4, 5, 6, dtype=torch.int16)
    labels[0, :2, :2], labels[0, 3, 3] = 7, 3
    assert dominant_class(labels=[3, 7])(labels).tolist() == [1]
    assert dominant_class(labels=[7, 3])(labels).tolist() == [0]
    assert dominant_class(labels=[5], missing=9)(labels).tolist() == [9]


def test_samples_of_a_classification_task():
    task = ClassificationTask("classify", SYNTHETIC.classes[1:])
    make = DominantClassd("segment", "classify", labels=[1, 2, 3, 4])
    fill = FillMissingTargetsd(TaskList([task]))
    sample = make(LoadSyntheticd()({"seed": 1}))
    counts = torch.bincount(sample["segment"].as_tensor().flatten().long(), minlength=5)[1:]
    assert fill(sample)["classify"].tolist() == [counts.argmax()]
    unlabeled = fill(make(LoadSyntheticd()({"seed": 1, "segment": None})))
    assert unlabeled["classify"].tolist() == [-1]
    assert unlabeled["classify"].dtype == fill(sample)["classify"].dtype
    targets = torch.stack([sample["classify"], unlabeled["classify"]])
    assert task.prepare_target(targets).tolist() == [[counts.argmax()], [-1]]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"once, got \[1, 1\]"):
        dominant_class(labels=[1, 1])
    with pytest.raises(ValueError, match=r"once, got \[\]"):
        dominant_class(labels=[])
    with pytest.raises(ValueError, match=r"one channel.*\(2, 3, 3\)"):
        dominant_class(labels=[1])(torch.zeros(2, 3, 3))
    with pytest.raises(KeyError, match="segment"):
        DominantClassd("segment", "classify", labels=[1])({})
    assert DominantClassd("segment", "classify", labels=[1], allow_missing_keys=True)({}) == {}
