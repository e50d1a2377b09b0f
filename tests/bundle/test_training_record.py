"""What a run was started with is kept, so that it can be repeated."""

import json
import shlex
import sys
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser, run

from monai_mtunet.bundle import record_training

CPU = torch.device("cpu")
ITEMS = {
    "imports": ["$import monai_mtunet", "$import pathlib", "$import torch"], "bundle_root": ".", "steps": 3,
    "twice": "$2 * @steps", "output_dir": "", "device": "$torch.device('cpu')", "resume": False,
    "initialize": ["$monai_mtunet.bundle.record_training(@output_dir, @device, @resume)"],
    "run": ["$pathlib.Path(@output_dir, 'twice.txt').write_text(str(@twice))"],
}  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "config.json").write_text(json.dumps(ITEMS))
    return str(tmp_path / "config.json")


def record(folder: Path) -> list[dict]:
    return json.loads((folder / "training.json").read_text())["runs"]


def test_the_saved_configuration_does_the_same_again(config, tmp_path):
    (tmp_path / "overlay.json").write_text(json.dumps({"twice": "$20 * @steps"}))
    run(config_file=[config, str(tmp_path / "overlay.json")], steps=5, output_dir=str(tmp_path / "first"))
    run(config_file=str(tmp_path / "first" / "configuration.json"), output_dir=str(tmp_path / "again"))
    assert (tmp_path / "again" / "twice.txt").read_text() == (tmp_path / "first" / "twice.txt").read_text() == "100"
    saved = json.loads((tmp_path / "first" / "configuration.json").read_text())
    assert saved == ITEMS | {"steps": 5, "twice": "$20 * @steps", "output_dir": str(tmp_path / "first")}


def test_values_that_json_does_not_have_are_told(config, tmp_path):
    run(config_file=config, output_dir=str(tmp_path / "out"), steps=CPU, twice=1)
    assert json.loads((tmp_path / "out" / "configuration.json").read_text())["steps"] == "device(type='cpu')"


def test_a_resumed_run_is_told_after_the_first(config, tmp_path):
    for resume in (False, True, True):
        run(config_file=config, output_dir=str(tmp_path / "out"), resume=resume)
    assert len(record(tmp_path / "out")) == 3
    run(config_file=config, output_dir=str(tmp_path / "out"))
    assert len(record(tmp_path / "out")) == 1


def test_what_resumes_a_run_without_a_record_begins_one(tmp_path):
    (tmp_path / "training.json").write_text("[]broken")
    record_training(tmp_path, CPU, resume=True)
    assert len(record(tmp_path)) == 1


def test_environment_and_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MONAI_DATA_DIRECTORY", "/data")
    record_training(tmp_path, CPU)
    (one,) = record(tmp_path)
    assert one["command"] is None  # from Python
    assert one["folder"] == str(Path.cwd())
    assert one["environment"]["torch"] == torch.__version__
    assert one["environment"]["device"].startswith("cpu (")
    assert one["environment"]["MONAI_DATA_DIRECTORY"] == "/data"


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["--config_file", "['a.json','b c.json']", "--x", "2"], "--config_file \"['a.json','b c.json']\" --x 2"),
        (["--train_data", "$f('a')", "--name", "two words"], "--train_data '$f('\"'\"'a'\"'\"')' --name 'two words'"),
    ],
)
def test_the_command_is_one_that_a_shell_takes(arguments, command, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/lib/monai/bundle/__main__.py", "run", *arguments])
    record_training(tmp_path, CPU)
    told = record(tmp_path)[0]["command"]
    assert told == f"python -m monai.bundle run {command}"
    assert shlex.split(told)[4:] == arguments
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    record_training(tmp_path, CPU)
    assert record(tmp_path)[0]["command"].startswith("torchrun --nproc_per_node 2 -m monai.bundle run ")


def test_one_process_of_several_writes(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    record_training(tmp_path, CPU)
    assert not list(tmp_path.iterdir())


def test_the_metadata_of_a_bundle_are_no_part_of_its_configuration(tmp_path):
    parser = ConfigParser({**ITEMS, "output_dir": str(tmp_path)})
    parser.read_meta({"version": "1"})
    parser.get_parsed_content("initialize")
    assert "_meta_" not in json.loads((tmp_path / "configuration.json").read_text())
