import numpy as np
import pytest
from PIL import Image

from monai_mtunet.pictures import distinct_colors, label_png


@pytest.mark.parametrize("classes", [1, 2, 16, 21])
def test_files_hold_the_labels_and_255_whatever_the_palette(tmp_path, classes):
    labels = np.array([[0, classes - 1, 255]])
    palette = distinct_colors(classes)
    label_png(labels, dict(enumerate(palette))).save(tmp_path / "a.png")
    saved = Image.open(tmp_path / "a.png")
    assert saved.mode == "P"
    assert np.asarray(saved).tolist() == labels.tolist()
    assert [tuple(color) for color in np.asarray(saved.convert("RGB"))[0]] == [palette[0], palette[-1], (255,) * 3]
