"""What the README shows is run: its Python example, the commands' files and overrides; links lead to headings."""

import re
from pathlib import Path

import pytest

from monai_mtunet.bundle import check_overrides

ROOT = Path(__file__).parents[1]
NAMES = ("README.md", "CONTRIBUTING.md", "docs/*.md", "docs/results/*.md", "*/README.md", "bundles/*/README.md")
PAGES = [page for name in NAMES for page in sorted(ROOT.glob(name))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


def test_the_python_example_runs() -> None:
    (example,) = blocks(ROOT / "README.md", "python")
    exec(compile(example, "README.md", "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_name_files_and_items_that_exist(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for block in blocks(page, "bash"):
        for command in re.findall(r"monai\.bundle run (.*)", block):
            arguments = [part.strip('"') for part in re.findall(r'"[^"]*"|\S+', command)]
            check_overrides(arguments)


def anchors(page: Path) -> set[str]:
    """What GitHub names the headings: lower case, punctuation dropped, blanks to hyphens, repeated ones numbered."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    names: list[str] = []
    for heading in re.findall(r"^#{1,6} +(.*?)[ #]*$", prose, flags=re.MULTILINE):
        text = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", heading)
        names.append(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
    return {name + (f"-{before}" if (before := names[:i].count(name)) else "") for i, name in enumerate(names)}


def test_anchors_are_githubs(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# MT-UNet: `cross-talk`, [a_b](c.md#d) + e\n```bash\n# a comment\n```\n## Twice\n### Twice\n")
    assert anchors(page) == {"mt-unet-cross-talk-a_b--e", "twice", "twice-1"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)[^)]*\)", page.read_text()):
        if not path.startswith("http"):
            target = page.parent / path if path else page
            assert target.exists(), f"{page.name} links to {path}"
            if anchor:
                assert anchor in anchors(target), f"{page.name} links to {path}#{anchor}"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 120
