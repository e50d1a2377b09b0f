"""The command line starts quickly, says what it can do, and ends with the cause and an exit status."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from monai_mtunet.commands.app import COMMANDS, app, main

from ..test_readme import PAGES, ROOT

HEAVY = ("torch", "monai", "numpy", "monai_mtunet.networks")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-X", "importtime", "-m", "monai_mtunet", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def imported(stderr: str) -> set[str]:
    return {line.rpartition("|")[2].strip() for line in stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["reproduce", "--help"], ["draw", "--only", "umc"]])
def test_help_and_refusals_do_not_wait_for_torch(arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.returncode == (2 if "--only" in arguments else 0)
    assert not imported(ended.stderr) & set(HEAVY)
    assert "typer" in imported(ended.stderr)


def test_names_of_all_rooms_resolve_in_a_command(tmp_path: Path) -> None:
    inference = {
        "imports": ["$import monai_mtunet"],
        "square": {"_target_": "CenterSquared", "keys": "image"},
        "spatial_dims": "$2 if @square else 3",
        "active_tasks": {"_target_": "TaskList", "tasks": [{"_target_": "EdgeTask", "name": "edges"}]},
    }
    (tmp_path / "inference.json").write_text(json.dumps(inference))
    (tmp_path / "metadata.json").write_text(json.dumps({"network_data_format": {}}))
    ended = run("metadata", str(tmp_path))
    assert ended.returncode == 0, ended.stderr.splitlines()[-1]


def test_processes_that_a_command_starts_have_the_whole_package(tmp_path: Path) -> None:
    program = tmp_path / "monai-mtunet"
    program.write_text(
        "import multiprocessing, monai_mtunet\n"
        "def loaded(): return 'tasks' in vars(monai_mtunet)\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(loaded(), pool.apply(loaded))\n"
    )
    ended = subprocess.run(
        [sys.executable, str(program)], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert ended.stdout.split() == ["False", "True"], ended.stderr


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == version("monai_mtunet")


def test_help_is_plain_text_and_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert told.isascii()
    for command in COMMANDS:
        assert re.search(rf"^  {command.__name__} +[A-Z]", told, flags=re.MULTILINE)


def test_the_last_line_is_the_cause_and_the_traceback_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["metadata", str(tmp_path / "no_bundle")])
    lines = capsys.readouterr().err.strip().splitlines()
    assert ended.value.code == 1
    assert lines[-1].startswith("FileNotFoundError: ")
    assert "no_bundle" in lines[-1]
    traceback = Path(lines[-2].removeprefix("The whole traceback is in "))
    assert "Traceback (most recent call last)" in traceback.read_text()
    traceback.unlink()


def test_an_unknown_command_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["reproduces"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.strip().splitlines()[-1].endswith("Did you mean 'reproduce'?")


def commands_of(page: Path) -> list[str]:
    """Every command line of ours on a page, comments and continued lines aside."""
    text = page.read_text().replace("\\\n", " ")
    found = re.findall(r"(?:python -m monai_mtunet|monai-mtunet) ([^`\n]*)", text)
    return [command.partition(" #")[0].strip() for command in found if re.match(r"[a-z]", command)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_on_pages_are_understood_and_name_files_that_exist(page: Path) -> None:
    group = get_command(app)
    for command in commands_of(page):
        arguments = command.split()
        context = typer.Context(group)
        name, subcommand, rest = group.resolve_command(context, arguments)
        with subcommand.make_context(name, rest, parent=context) as parsed:
            for value in map(str, parsed.params.values()):
                if value.startswith("bundles/"):
                    assert (ROOT / value).exists(), command


def test_pages_with_commands_are_found() -> None:
    assert sum(len(commands_of(page)) for page in PAGES) > 15
