"""Notebooks run from start to end at their smallest sizes, agree with the scripts beside them, and hold no outputs.

They need the extra `notebooks`, and run by `pytest -m notebook` alone.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from .test_readme import anchors

pytestmark = pytest.mark.notebook
FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    import nbformat

    return nbformat.read(path, as_version=4)


def text(path: Path) -> str:
    return "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


def test_every_script_has_its_notebook() -> None:
    assert NOTEBOOKS
    assert [path.stem for path in NOTEBOOKS] == sorted(path.stem for path in FOLDER.glob("*.py"))


def test_the_readme_lists_all() -> None:
    listed = re.findall(r"\]\((\w+)\.ipynb\)", (FOLDER / "README.md").read_text())
    assert sorted(listed) == [path.stem for path in NOTEBOOKS]


@each
def test_it_agrees_with_its_script(path: Path) -> None:
    import jupytext

    script = jupytext.read(path.with_suffix(".py"))
    cells = [[(cell.cell_type, cell.source) for cell in notebook.cells] for notebook in (read(path), script)]
    assert cells[0] == cells[1], f"Run: jupytext --sync {path.with_suffix('.py')}"


@each
def test_it_holds_no_outputs(path: Path) -> None:
    for cell in read(path).cells:
        if cell.cell_type == "code":
            assert not cell.outputs, "Clear all outputs before you commit."
            assert cell.execution_count is None


@each
def test_it_has_one_title(path: Path) -> None:
    assert len(re.findall(r"^# ", text(path), flags=re.MULTILINE)) == 1


@each
def test_its_links_lead_somewhere(path: Path) -> None:
    for link, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", text(path)):
        if not link.startswith("http"):
            assert (path.parent / link).exists(), link
            if anchor:
                assert anchor in anchors(path.parent / link), f"{link}#{anchor}"


@each
def test_it_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbclient import NotebookClient

    monkeypatch.setenv("MONAI_MTUNET_SMOKE", "1")
    NotebookClient(read(path), timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
