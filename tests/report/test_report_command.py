"""``python -m monai_mtunet report``: from the folder alone, and with the data where they are needed."""

import json
import shutil
from pathlib import Path

import pytest

from monai_mtunet.commands.app import main
from monai_mtunet.report.training.case_pictures import PICTURES_FILE


def ends(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    return int(ended.value.code or 0)


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "moved"))


def test_it_writes_the_page_that_the_run_wrote(trained, tmp_path, capsys):
    written = (trained / "report.html").read_text()
    assert ends("report", trained, "--output", tmp_path / "page.html") == 0
    assert capsys.readouterr().out == f"The report is {tmp_path / 'page.html'}\n"
    assert (tmp_path / "page.html").read_text() == written


@pytest.mark.parametrize("fixture", ["trained", "trained_on_volumes"])
def test_cases_are_drawn_anew_as_at_the_end_of_the_run(fixture, tmp_path, request):
    folder = Path(shutil.copytree(request.getfixturevalue(fixture), tmp_path / "moved"))
    before = (folder / PICTURES_FILE).read_bytes()
    (folder / PICTURES_FILE).unlink()
    left = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    assert ends("report", folder, "--draw") == 0
    assert contents(folder / PICTURES_FILE) == contents(before, tmp_path)
    # Nothing else is written, by validation handlers and the like.
    assert sorted({path.relative_to(folder) for path in folder.rglob("*")} - {PICTURES_FILE}) == left


def contents(archive: Path | bytes, tmp_path: Path | None = None) -> dict[str, bytes]:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(archive) if isinstance(archive, bytes) else archive) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_without_the_data_the_page_says_so(folder, capsys):
    configuration = json.loads((folder / "configuration.json").read_text())
    configuration["val_data"] = "$monai_mtunet.data.read_datalist('gone/list.json')"
    (folder / "configuration.json").write_text(json.dumps(configuration))
    (folder / PICTURES_FILE).unlink()
    assert ends("report", folder, "--draw") == 1
    told = capsys.readouterr().err
    assert "Pictures of cases could not be drawn: " in told
    assert "gone/list.json" in told
    page = (folder / "report.html").read_text()
    assert "Pictures of cases could not be drawn: " in page
    assert "gone/list.json" in page
    assert "Confusion matrix of segment" in page


def test_without_the_configuration_the_page_says_so(folder, capsys):
    (folder / "configuration.json").unlink()
    assert ends("report", folder, "--draw") == 1
    assert "configuration.json does not exist, so that the data are not known" in capsys.readouterr().err


def test_a_folder_of_something_else_is_refused(tmp_path, capsys):
    assert ends("report", tmp_path) == 1
    assert "holds no training" in capsys.readouterr().err
