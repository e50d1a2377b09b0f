import pytest
from monai.data import DataLoader, Dataset
from PIL import Image

from monai_mtunet.bundle.plain_errors import root_cause
from monai_mtunet.bundle.worker_errors import cause_in_worker
from monai_mtunet.transforms import LoadSampled


def failing(entry):
    raise KeyError(f"no {entry}\nand more")


def told(data, transform):
    """What a loader with a worker raises for a sample."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the test is about the message
        list(DataLoader(Dataset(data, transform), batch_size=1, num_workers=1))
    return cause_in_worker(str(root_cause(caught.value)))


def test_the_cause_is_the_first_of_the_chain():
    assert told([1], failing) == "KeyError: 'no 1\\nand more'"


def test_a_clearer_error_of_the_package_stands_for_a_librarys(tmp_path):
    Image.new("L", (64, 64)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    message = told([{"image": str(tmp_path / "a.png")}], LoadSampled("image"))
    assert message.startswith(f"OSError: image: {tmp_path / 'a.png'} cannot be read. It is truncated")
    assert "Traceback" not in message


def test_other_errors_are_of_no_worker():
    assert cause_in_worker("The images of a batch differ in size") is None
