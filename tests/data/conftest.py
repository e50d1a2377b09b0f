import os
from pathlib import Path

import pytest


@pytest.fixture
def real_data():
    """Folder of the real data sets; tests that need it skip where MONAI_DATA_DIRECTORY is not set."""
    folder = os.environ.get("MONAI_DATA_DIRECTORY")
    if not folder:
        pytest.skip("MONAI_DATA_DIRECTORY is not set")

    def find(*parts, what=""):
        path = Path(folder, *parts)
        if not path.exists():
            pytest.skip(f"{path} does not exist{what and f': {what}'}")
        return path

    return find
