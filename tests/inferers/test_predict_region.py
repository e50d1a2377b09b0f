from itertools import pairwise

import pytest
import torch

from monai_mtunet.inferers import MultiTaskSlidingWindowInferer
from monai_mtunet.inferers.predict_region import predict_region
from monai_mtunet.networks import UMC

CPU = torch.device("cpu")


def network(dims: int) -> UMC:
    torch.manual_seed(0)
    return UMC(dims, 2, {"denoise": 1, "segment": 3}, features=(8, 16)).eval()


def cut(length: int, parts: int) -> list[slice]:
    ends = [length * index // parts for index in range(parts + 1)]
    return [slice(low, high) for low, high in pairwise(ends)]


@pytest.mark.parametrize(
    ("size", "roi_size", "axis"),
    [
        ((20, 33, 17), (8, 8, 8), 1),
        ((40, 9, 8), (8, 12, 8), 0),
        ((40, 9, 8), (8, 12, 8), 1),
        ((31, 31), (8, 10), 1),
        ((5, 6), (8, 8), 0),
        ((37, 50), (-1, 16), 1),
    ],
    ids=["rolled", "padded", "padded and cut there", "columns", "one window", "as wide as the image"],
)
@pytest.mark.parametrize("mode", ["gaussian", "constant"])
@pytest.mark.parametrize("parts", [1, 3, 5])
@torch.inference_mode()
def test_parts_have_the_bits_of_the_whole(size, roi_size, axis, mode, parts):
    net, image = network(len(size)), torch.randn(1, 2, *size)
    inferer = MultiTaskSlidingWindowInferer(roi_size, sw_batch_size=3, overlap=0.5, mode=mode)
    expected = inferer(image, net)
    asked = []

    def read(box):
        asked.append(box)
        return image[0][(slice(None), *box)]

    found = {name: torch.full_like(values[0], torch.nan) for name, values in expected.items()}
    for part in cut(size[axis], parts):
        region = tuple(part if index == axis else slice(0, length) for index, length in enumerate(size))
        for box, predictions in predict_region(net, read, size, region, inferer, CPU):
            for name, values in predictions.items():
                assert found[name][(slice(None), *box)].isnan().all()  # each voxel comes once
                found[name][(slice(None), *box)] = values
    for name, values in expected.items():
        assert torch.equal(found[name], values[0])


@torch.inference_mode()
def test_planes_are_read_once_and_few_at_a_time():
    size, read_planes = (64, 8, 8), []

    def read(box):
        read_planes.extend(range(box[0].start, box[0].stop))
        assert box[0].stop - box[0].start <= 8
        return torch.zeros(2, *(part.stop - part.start for part in box))

    inferer = MultiTaskSlidingWindowInferer((8, 8, 8), sw_batch_size=2, overlap=0.5)
    boxes = [box for box, _ in predict_region(network(3), read, size, tuple(map(slice, (0,) * 3, size)), inferer, CPU)]
    assert read_planes == list(range(64))
    assert [box[0] for box in boxes] == [slice(start, start + 4) for start in range(0, 56, 4)] + [slice(56, 64)]


def test_a_vector_of_a_window_is_refused():
    def boxes(windows):
        return {"box": windows.mean((2, 3))}

    inferer = MultiTaskSlidingWindowInferer((8, 8))
    region = (slice(0, 16), slice(0, 8))
    with pytest.raises(ValueError, match="Task 'box' predicts one vector per image"):
        list(predict_region(boxes, lambda box: torch.zeros(2, 16, 8), (16, 8), region, inferer, CPU))
