"""What worker processes are sent where they are spawned, as on macOS and Windows."""

import pickle
import re

import pytest

from .bundle_under_test import ROOT, BundleUnderTest

BUNDLES = sorted(folder.name for folder in (ROOT / "bundles").iterdir() if folder.is_dir())


@pytest.mark.parametrize("name", BUNDLES)
def test_preprocessing_pickles(name: str) -> None:
    config = BundleUnderTest(name).parsed("train")
    for section in ("train", "validate"):
        preprocessing = config.get_parsed_content(f"{section}#preprocessing")
        assert len(pickle.loads(pickle.dumps(preprocessing)).transforms) == len(preprocessing.transforms)


def test_no_bundle_and_no_page_has_a_lambda_in_a_configuration() -> None:
    files = [*ROOT.glob("bundles/**/*.json"), *ROOT.glob("bundles/*/README.md"), *ROOT.glob("docs/*.md")]
    assert len(files) > 100
    assert [file.name for file in files if re.search(r"\$lambda\b", file.read_text())] == []
