import pytest
import torch
from torch.utils.data import WeightedRandomSampler

from monai_mtunet.data import labeled_weights

DATALIST = [{"segment": "a"}, {"segment": None}, {}, {"segment": "b"}, {"depth": "c"}]


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.5, [0.25, 1 / 6, 1 / 6, 0.25, 1 / 6]),
        (1, [0.5, 0, 0, 0.5, 0]),
        (0, [0, 1 / 3, 1 / 3, 0, 1 / 3]),
        (0.4, [0.2] * 5),  # the share that they have
    ],
)
def test_the_share_is_split_evenly(share, expected):
    weights = labeled_weights(DATALIST, "segment", share)
    assert weights == pytest.approx(expected)
    assert sum(weights) == pytest.approx(1)


def test_any_of_several_labels_counts():
    assert labeled_weights(DATALIST, ["segment", "depth"], 1) == pytest.approx([1 / 3, 0, 0, 1 / 3, 1 / 3])


@pytest.mark.parametrize("datalist", [[{"segment": "a"}] * 4, [{}] * 4])
@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_all_or_none_labeled_are_taken_evenly(datalist, share):
    assert labeled_weights(datalist, "segment", share) == [0.25] * 4


def test_labels_that_the_loader_makes_are_told_by_none_alone():
    assert labeled_weights([{"seed": 1}, {"seed": 2, "segment": None}, {"seed": 3, "segment": None}], share=0.5) == [
        0.5,
        0.25,
        0.25,
    ]


def test_torchs_sampler_takes_the_share():
    torch.manual_seed(0)
    datalist = [{"segment": "a"}] * 4 + [{}] * 157
    taken = list(WeightedRandomSampler(labeled_weights(datalist, "segment", 0.5), num_samples=4000))
    assert sum(index < 4 for index in taken) / 4000 == pytest.approx(0.5, abs=0.03)
    assert set(range(4)) < set(taken)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match=r"within 0..1, got 1.5"):
        labeled_weights(DATALIST, share=1.5)
    with pytest.raises(ValueError, match="no sample"):
        labeled_weights([])
