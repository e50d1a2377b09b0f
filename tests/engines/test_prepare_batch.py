import pytest
import torch
from monai.data import MetaTensor, list_data_collate

from monai_mtunet.engines import MultiTaskPrepareBatch
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList


@pytest.fixture
def tasks():
    return TaskList([SegmentationTask("segment", ["back", "front"]), RestorationTask("denoise", channels=1)])


def batch(**changes):
    """Two collated samples as a loader gives them, with the files they came from."""

    def sample(index):
        tensors = {
            "image": torch.rand(1, 6, 5),
            "denoise": torch.rand(1, 6, 5),
            "segment": torch.ones(1, 6, 5, dtype=torch.int16),
        }
        return {
            key: MetaTensor(tensor, meta={"filename_or_obj": f"{key}/case{index}.png"})
            for key, tensor in (tensors | changes).items()
        }

    return list_data_collate([sample(0), sample(1)])


def test_gives_the_image_and_the_prepared_targets_as_plain_tensors(tasks):
    data = batch()
    image, targets = MultiTaskPrepareBatch(tasks)(data, device="cpu", non_blocking=True)
    assert type(image) is torch.Tensor
    assert torch.equal(image, data["image"].as_tensor())
    assert list(targets) == ["segment", "denoise"]
    assert [type(target) for target in targets.values()] == [torch.Tensor, torch.Tensor]
    assert targets["segment"].dtype == torch.int64
    assert targets["denoise"].dtype == torch.float32
    assert isinstance(data["image"], MetaTensor)


def test_goes_to_the_device(tasks):
    image, targets = MultiTaskPrepareBatch(tasks)(batch(), device="meta")
    assert {tensor.device.type for tensor in (image, *targets.values())} == {"meta"}


def test_without_tasks_there_are_no_targets():
    image, targets = MultiTaskPrepareBatch()({"image": torch.rand(2, 1, 6, 5)})
    assert image.shape == (2, 1, 6, 5)
    assert targets is None


def test_meta_data_stay_on_request(tasks):
    image, targets = MultiTaskPrepareBatch(tasks, keep_meta=True)(batch())
    assert image.meta["filename_or_obj"] == ["image/case0.png", "image/case1.png"]
    assert type(targets["denoise"]) is torch.Tensor


def test_another_image_key(tasks):
    data = batch()
    data["noisy"] = data.pop("image")
    image, _ = MultiTaskPrepareBatch(tasks, image_key="noisy")(data)
    assert torch.equal(image, data["noisy"].as_tensor())


@pytest.mark.parametrize("key", ["image", "segment"])
def test_a_missing_key_is_named(tasks, key):
    data = batch()
    del data[key]
    with pytest.raises(ValueError, match=rf"holds no '{key}', .*; it holds \['denoise', '[a-z]+'\]"):
        MultiTaskPrepareBatch(tasks)(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"segment": torch.full((1, 6, 5), 7)}, r"Task 'segment': label\(s\) \[7\]"),
        ({"segment": torch.full((1, 6, 5), 0.5)}, r"Task 'segment': labels must be whole numbers"),
        ({"segment": torch.ones(1, 3, 5)}, r"Task 'segment': its target has spatial size \(3, 5\), the image \(6, 5\)"),
        ({"denoise": torch.rand(3, 6, 5)}, r"Task 'denoise' has 1 channel"),
    ],
)
def test_a_wrong_target_is_named_with_its_files(tasks, change, message):
    (key,) = change
    with pytest.raises(ValueError, match=rf"{message}.*{key} from \['{key}/case0.png', '{key}/case1.png'\]"):
        MultiTaskPrepareBatch(tasks)(batch(**change))


def test_of_unnamed_targets_the_images_files_are_named(tasks):
    data = batch(denoise=torch.rand(3, 6, 5))
    data["denoise"] = data["denoise"].as_tensor()
    with pytest.raises(ValueError, match=r"image from \['image/case0.png'"):
        MultiTaskPrepareBatch(tasks)(data)
    data["image"] = data["image"].as_tensor()
    with pytest.raises(ValueError, match="unnamed samples"):
        MultiTaskPrepareBatch(tasks)(data)
