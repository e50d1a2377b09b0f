"""Which folder of the package may import which: docs/architecture.md, told to the machine."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "monai_mtunet"
MAY_IMPORT = {
    "networks": set(),
    "losses": set(),
    "transforms": set(),
    "data": set(),
    "metrics": set(),
    "tasks": {"losses", "metrics"},
    "engines": {"losses", "networks", "tasks"},
    "inferers": {"tasks"},
    "bundle": set(),
    "drawings": {"networks", "tasks"},
    "reproduce": {"tasks"},
}
FOR_ALL = {"label_png"}  # a file format


def imported(file: Path) -> set[str]:
    """The folders and files of the package that a module imports from, its own folder left out."""
    own = ["monai_mtunet", *file.relative_to(PACKAGE).with_suffix("").parts]
    modules = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            modules += [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = own[: -node.level] if node.level else []
            tail = node.module.split(".") if node.module else []
            # `from .. import data` names the folder itself.
            modules += [base + tail + ([] if tail else [alias.name]) for alias in node.names]
    return {module[1] for module in modules if module[0] == "monai_mtunet" and len(module) > 1} - {own[1]}


def test_relative_and_absolute_imports_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.PACKAGE", tmp_path)
    file = tmp_path / "losses" / "weighting" / "some.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "import torch\nimport monai_mtunet.data\nfrom monai_mtunet.tasks import Task\nfrom ..over_ranks import mean\n"
        "from ...networks.umc import UMC\nfrom ... import metrics\nfrom . import dynamic\n"
    )
    assert imported(file) == {"data", "tasks", "networks", "metrics"}


def test_every_folder_has_its_rule() -> None:
    assert {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists()} == set(MAY_IMPORT)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_go_one_way(folder: str) -> None:
    for file in (PACKAGE / folder).rglob("*.py"):
        forbidden = imported(file) - MAY_IMPORT[folder] - FOR_ALL
        assert not forbidden, f"{file.relative_to(PACKAGE)} imports {sorted(forbidden)}; see docs/architecture.md"
