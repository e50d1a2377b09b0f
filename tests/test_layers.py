"""Which folder of the package may import which: docs/architecture.md, told to the machine."""

import ast
from pathlib import Path

import networkx as nx
import pytest

PACKAGE = Path(__file__).parents[1] / "monai_mtunet"
GROUND_FLOOR = ("networks", "losses", "transforms", "data", "metrics", "pictures")
MAY_IMPORT: dict[str, set[str]] = {
    **{room: set() for room in GROUND_FLOOR},
    "transforms": {"files"},
    "files": {"data", "pictures"},
    "pretrained": {"networks"},
    "tasks": {"losses", "metrics", "pictures"},
    "engines": {"data", "losses", "networks", "pictures", "pretrained", "tasks", "transforms"},
    "inferers": {"data", "files", "pictures", "tasks"},
    "bundle": {"engines", "networks", "tasks"},
    "drawings": {"networks", "pictures"},
    "planning": {"data", "engines", "files", "transforms"},
    "reproduce": {"bundle", "pictures"},
    "cross_validation": {"bundle", "data", "files"},
    "prediction": {"bundle", "data", "engines", "files", "inferers", "planning", "tasks", "transforms"},
    "evaluation": {"bundle", "data", "files", "inferers", "tasks", "transforms"},
    "report": {"bundle", "engines", "files", "pictures", "planning", "pretrained", "tasks"},
    "commands": {
        *("bundle", "cross_validation", "drawings", "evaluation", "planning", "prediction", "report", "reproduce"),
    },
}
MOST_FILES = 16
MOST_LINES = 270
MOST_NAMES = 225


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


def test_rooms_are_above_or_below_each_other() -> None:
    graph = nx.DiGraph((room, below) for room, rooms in MAY_IMPORT.items() for below in rooms)
    assert nx.is_directed_acyclic_graph(graph)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_go_one_way(folder: str) -> None:
    used = set()
    for file in (PACKAGE / folder).rglob("*.py"):
        forbidden = imported(file) - MAY_IMPORT[folder]
        assert not forbidden, f"{file.relative_to(PACKAGE)} imports {sorted(forbidden)}; see docs/architecture.md"
        used |= imported(file)
    assert used == MAY_IMPORT[folder], "what is not used need not be allowed"


def test_nothing_is_above_the_commands() -> None:
    assert not [room for room, below in MAY_IMPORT.items() if "commands" in below]


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    files = sorted(PACKAGE.rglob("*.py"))
    names = [".".join(("monai_mtunet", *file.relative_to(PACKAGE).with_suffix("").parts)) for file in files]
    return {name.removesuffix(".__init__"): file for name, file in zip(names, files, strict=True)}


def imports() -> list[tuple[str, str]]:
    """(module, module or package of ours that it imports from), parts of a package that are imported by name included.

    All imports within the package are relative.
    """
    known, found = modules(), []
    for name, file in known.items():
        package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
                parts = [f"{base}.{alias.name}" for alias in node.names]
                found += [(name, part if part in known else base) for part in parts]
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = modules()
    # That a package imports its parts, which may name the package, is no circle of concepts.
    plain = [pair for pair in imports() if all(known[name].name != "__init__.py" for name in pair)]
    graph = nx.DiGraph(plain)
    assert list(nx.simple_cycles(graph)) == []
    assert len(graph) > 100


def test_no_module_imports_names_of_a_package_that_it_is_a_part_of() -> None:
    # The package imports the module: which comes first would depend on who is asked first.
    assert [(name, package) for name, package in imports() if name.startswith(f"{package}.")] == []


def test_imports_within_the_package_are_relative() -> None:
    for name, file in modules().items():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert not (node.module or "").startswith("monai_mtunet"), name
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("monai_mtunet") for alias in node.names), name


def test_no_folder_and_no_file_grows_too_large() -> None:
    for folder in {file.parent for file in modules().values()}:
        files = list(folder.glob("*.py"))
        assert len(files) <= MOST_FILES, f"{folder.name} has {len(files)} files: it wants walls"
    for name, file in modules().items():
        lines = len(file.read_text().splitlines())
        assert lines < MOST_LINES, f"{name} has {lines} lines"


def test_names_are_exported_once_and_not_too_many() -> None:
    exported = [
        name
        for file in PACKAGE.rglob("__init__.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
        for name in ast.literal_eval(node.value)
    ]
    assert len(exported) == len(set(exported))
    assert len(exported) <= MOST_NAMES
