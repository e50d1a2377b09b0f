import pytest
import torch
from monai.data import CacheDataset, Dataset

from monai_mtunet.data import SampleLoader


def samples(*sizes):
    return [{"image": torch.zeros(1, size, 4), "number": index} for index, size in enumerate(sizes)]


def cached(*sizes):
    return CacheDataset(samples(*sizes), None, progress=False)


def test_batches_of_one_size_keep_the_order():
    loader = SampleLoader(cached(4, 4, 4, 5, 5, 4), batch_size=2, by_size=True)
    batches = [(batch["number"].tolist(), tuple(batch["image"].shape[2:])) for batch in loader]
    assert batches == [([0, 1], (4, 4)), ([2], (4, 4)), ([3, 4], (5, 4)), ([5], (4, 4))]
    assert len(loader) == 4


@pytest.mark.parametrize("by_size", [True, False])
def test_of_one_size_batches_are_as_ever(by_size):
    loader = SampleLoader(cached(4, 4, 4, 4, 4), batch_size=2, by_size=by_size)
    assert [batch["number"].tolist() for batch in loader] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("workers", [0, 2])
def test_without_a_cache_batches_are_taken_apart_as_they_come(workers):
    loader = SampleLoader(Dataset(samples(4, 4, 4, 5, 5, 4)), batch_size=4, by_size=True, num_workers=workers)
    for _ in range(2):
        batches = [(batch["number"].tolist(), tuple(batch["image"].shape[2:])) for batch in loader]
        assert batches == [([0, 1, 2], (4, 4)), ([3], (5, 4)), ([4], (5, 4)), ([5], (4, 4))]
    with pytest.raises(TypeError, match="not cached whole"):
        len(loader)


def test_of_one_size_batches_without_a_cache_are_as_ever():
    loader = SampleLoader(Dataset(samples(4, 4, 4, 4, 4)), batch_size=2, by_size=True)
    assert [batch["number"].tolist() for batch in loader] == [[0, 1], [2, 3], [4]]


def test_a_partial_cache_is_none():
    dataset = CacheDataset(samples(4, 5, 4), None, cache_rate=0.5, progress=False)
    assert [len(batch["number"]) for batch in SampleLoader(dataset, batch_size=3, by_size=True)] == [1, 1, 1]


def test_batches_of_one_have_a_length():
    assert len(SampleLoader(Dataset(samples(4, 5)), batch_size=1, by_size=True)) == 2


@pytest.mark.parametrize("dataset", [cached(4, 4, 4, 4, 4, 5), Dataset(samples(4, 5))], ids=["cached", "not cached"])
def test_a_batch_of_several_sizes_is_told_in_a_line(dataset):
    with pytest.raises(ValueError, match=r"differ in size: in memory, 4 x 4; in memory, 5 x 4.*PadSampled") as error:
        list(SampleLoader(dataset, batch_size=6))
    assert len(str(error.value)) < 600
