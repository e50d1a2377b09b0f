import json
import subprocess
import sys
from pathlib import Path

import pytest
from monai.bundle import ConfigParser

from monai_mtunet.bundle import check_overrides, prepare_output_dir
from monai_mtunet.bundle.number_signs import check_number_signs

ROOT = Path(__file__).parents[2]
TRAIN = str(ROOT / "bundles/umc/train.json")


@pytest.mark.parametrize(
    "value",
    ["/data/set#1", ["a", {"image": "b#1.png"}], "$os.path.join('/data#1', @run_name)", "sets/#2/@train#dataset"],
)
def test_what_monai_would_change_is_refused(value):
    with pytest.raises(ValueError, match=r'mine.json: item.* but MONAI makes "::" of every "#"'):
        check_number_signs("item", value, "mine.json")


@pytest.mark.parametrize("value", ["@train#dataset", "$len(@train#dataset) + @max_epochs", "%other.json#item", 3, None])
def test_references_are_no_paths(value):
    check_number_signs("item", value, "mine.json")


def test_the_expression_in_the_message_is_the_path():
    path = "/data/set#1/it's"
    with pytest.raises(ValueError, match="or write ") as caught:
        check_number_signs("dataset_dir", path, "mine.json")
    written = json.loads(str(caught.value).partition("or write ")[2].partition(". Paths")[0])
    assert ConfigParser({"dataset_dir": written}).get_parsed_content("dataset_dir") == path
    assert ConfigParser({"dataset_dir": path}).get_parsed_content("dataset_dir") != path  # else all this may go


def test_overlays_and_the_command_line_are_looked_through(tmp_path):
    with pytest.raises(ValueError, match="the command line: dataset_dir is '/data#1'"):
        check_overrides(["--config_file", TRAIN, "--dataset_dir", "/data#1"])
    check_overrides(["--config_file", TRAIN, "--network_def#dropout", "0.1"])
    folder = tmp_path / "run#2"
    folder.mkdir()
    (folder / "mine.json").write_text(json.dumps({"val_data": [{"image": "a#1.png"}]}))
    with pytest.raises(ValueError, match=r"mine.json: val_data#0#image is 'a#1.png'"):
        check_overrides(["--config_file", f"['{TRAIN}','{folder}/mine.json']"])
    (folder / "mine.json").write_text(json.dumps({"max_epochs": 3, "train#trainer#max_epochs": 2}))
    check_overrides(["--config_file", f"['{TRAIN}','{folder}/mine.json']"])  # where an overlay lies does not matter


def test_no_folder_is_made_by_another_name(tmp_path):
    with pytest.raises(ValueError, match=r'output_dir is .*out::1.*"::" of every "#"'):
        prepare_output_dir(tmp_path / "out::1")
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file", TRAIN, "--output_dir", f"{tmp_path}/a#1"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.stderr.splitlines()[-1].startswith("ValueError: the command line: output_dir is")
    assert list(tmp_path.iterdir()) == []
