"""The site, made of the pages that GitHub shows: ``sphinx-build -W -c docs . build/site`` from the repository's root.

The sources are the whole repository and not only this folder, so that pages link to the READMEs of bundles, to
notebooks and to each other by the same relative paths on GitHub and here.
"""

import re
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx

project = "monai_mtunet"
author = "The monai_mtunet developers"
copyright = author
version = release = version_of("monai_mtunet")

root_doc = "docs/index"
include_patterns = [
    "*.md",
    "docs/**.md",
    "docs/api/*.rst",
    "bundles/*/README.md",
    "benchmarks/README.md",
    "notebooks/*.ipynb",
    "notebooks/README.md",
]
exclude_patterns = [".*", "build", "dist", "outputs", "monai_mtunet", "tests"]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]

# Headings are linked to as on GitHub; notebooks are shown as they were last run.
myst_heading_anchors = 4
nb_execution_mode = "off"

# What a package exports is its interface, wherever it is defined.
autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# Docstrings have names of arguments in single backticks, in the manner of MONAI.
default_role = "code"

html_theme = "furo"
html_title = "monai_mtunet"
html_static_path: list[str] = []
templates_path = [str(Path(__file__).parent / "_templates")]  # absolute: autosummary looks from the sources on
html_additional_pages = {"index": "redirect.html"}


def escape_shapes(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Docstrings say (B, C, *spatial) and |error|, which reStructuredText would take for emphasis and substitutions."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            parts = re.split(r"(``.*?``|`.*?`)", line)
            lines[i] = "".join(part if part[:1] == "`" else re.sub(r"([*|])(?=\w)", r"\\\1", part) for part in parts)


def setup(app: Sphinx) -> None:
    """Escape before napoleon (priority 500) adds markup of its own."""
    app.connect("autodoc-process-docstring", escape_shapes, priority=400)
