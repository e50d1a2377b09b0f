import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from monai_mtunet.bundle.plain_errors import report_error, root_cause

ROOT = Path(__file__).parents[2]


def raised(function):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the tests are about chains
        function()
    return caught.value


def test_the_cause_is_the_first_of_the_chain():
    def fail():
        try:
            raise ValueError("the cause")
        except ValueError as error:
            raise RuntimeError("Failed to evaluate") from error

    assert str(root_cause(raised(fail))) == "the cause"


def test_what_is_suppressed_is_no_cause():
    def fail():
        try:
            raise KeyError("internal")
        except KeyError:
            raise ValueError("told instead") from None

    assert str(root_cause(raised(fail))) == "told instead"


def test_a_clearer_error_of_the_package_stands_for_a_librarys():
    from monai_mtunet.transforms import LoadSampled

    error = raised(lambda: LoadSampled("image")({"image": __file__}))
    assert root_cause(error) is error
    assert __file__ in str(error)


def test_a_run_ends_with_its_cause_once(tmp_path):
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file", "bundles/umc/train.json"]
    command += ["--key_metric_name", "segment_mIoU", "--output_dir", str(tmp_path / "out")]
    command += ["--train_data", "$monai_mtunet.data.synthetic_datalist(2)", "--load#0#spatial_size", "8"]
    command += ["--val_data", "$monai_mtunet.data.synthetic_datalist(2)"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = ended.stderr.strip().splitlines()
    assert ended.returncode == 1
    assert lines[-1].startswith("ValueError: No task has the key metric 'segment_mIoU'; there are ['denoise_psnr'")
    assert "Failed to evaluate" not in ended.stderr
    traceback = lines[-2].removeprefix("The whole traceback is in ")
    assert "Failed to evaluate ConfigExpression" in Path(traceback).read_text()
    Path(traceback).unlink()


IN_A_POOL = """
import sys
sys.argv = ["monai/bundle/__main__.py", "run"]
import torch
from monai.data import CacheDataset
from monai.transforms import Transform
from monai_mtunet.bundle import plain_errors

class Load(Transform):
    def __call__(self, number):
        if number == 0:
            raise ValueError("the first file is damaged")
        values = torch.rand(400, 400)
        for _ in range(60):
            values = (values @ values).softmax(0)
        return values

plain_errors()
CacheDataset(list(range(8)), Load(), progress=False)
"""


def test_a_cache_that_is_being_filled_does_not_abort_the_interpreter():
    ended = subprocess.run([sys.executable, "-c", IN_A_POOL], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "ValueError: the first file is damaged"


def test_what_fails_in_a_worker_is_told_as_plainly(tmp_path):
    image = str(tmp_path / "a.png")
    Image.new("RGB", (16, 16)).save(image)
    overlay = {
        "only": "denoise", "key_metric_name": "denoise_psnr", "features": [4, 8], "num_workers": 2, "cache_rate": 0.0,
        "load": [{"_target_": "LoadSampled", "tasks": "@active_tasks"}], "output_dir": str(tmp_path / "out"),
        "train_data": [{"image": image}, {"image": image}], "val_data": [{"image": str(tmp_path / "b.png")}],
    }  # fmt: skip
    (tmp_path / "mine.json").write_text(json.dumps(overlay))
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file"]
    command += [f"['bundles/umc/train.json','{tmp_path / 'mine.json'}']"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(f"FileNotFoundError: image: {tmp_path / 'b.png'} does not exist: ")


def told(error, capsys):
    report_error(error)
    *_, traceback, last = capsys.readouterr().err.splitlines()
    Path(traceback.removeprefix("The whole traceback is in ")).unlink()
    return last


def test_a_message_of_several_lines_is_told_on_the_last_one(capsys):
    def fail():
        raise ValueError("a file\nis wrong,\n\n  replace it")

    assert told(raised(fail), capsys) == "ValueError: a file is wrong, replace it"


def test_a_librarys_error_is_told_with_its_place(capsys):
    def fail():
        try:
            int("many")
        except ValueError as error:
            raise RuntimeError("Failed to instantiate component 'torch.Adam' with keywords: lr") from error

    assert told(raised(fail), capsys).endswith("'many' (It came up while making torch.Adam of lr: check these items)")


def test_what_a_line_of_the_package_did_not_mean_is_a_librarys_error(capsys):
    from monai_mtunet.networks import UMC

    def fail():
        try:
            UMC(2, 1, {"segment": 2}, features="wide")
        except TypeError as error:
            raise RuntimeError("Failed to instantiate component 'UMC' with keywords: features") from error

    assert "(It came up while making UMC of features" in told(raised(fail), capsys)
