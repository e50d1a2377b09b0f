import pytest

import monai_mtunet.data
from monai_mtunet.data import LabelSet

BLACK, RED, BLUE = (0, 0, 0), (255, 0, 0), (0, 0, 255)
ALL = {name: value for name, value in vars(monai_mtunet.data).items() if isinstance(value, LabelSet)}


@pytest.mark.parametrize("name", ALL)
def test_every_class_has_a_name_a_color_and_a_label(name):
    labels = ALL[name]
    assert len(set(labels.classes)) == len(labels.classes) > 1
    assert all(0 <= value <= 255 for color in labels.palette for value in color)
    assert len(set(labels.labels)) == len(labels.labels)
    assert {*labels.class_of_label} - {255} == {*range(len(labels.classes))}
    class_of = dict(zip(labels.labels, labels.class_of_label, strict=True))
    assert [class_of[label] for label in labels.label_of_class] == list(range(len(labels.classes)))
    assert {class_of[label] for label in labels.ignored_labels} <= {255}


def test_files_hold_class_numbers_unless_told_otherwise():
    labels = LabelSet(("road", "car"), (BLACK, RED))
    assert labels.labels == labels.class_of_label == labels.label_of_class == (0, 1)
    assert labels.ignored_labels == labels.things == ()


def test_tables_of_one_data_set():
    labels = LabelSet(("road", "car"), (BLACK, RED), (7, 26, 30, 0), (0, 1, 1, 255), thing_labels=(26,))
    assert labels.label_of_class == (7, 26)
    assert labels.ignored_labels == (0,)
    assert labels.things == ("car",)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"palette": (BLACK, RED, BLUE)}, "2 classes, but 3 colors"),
        ({"labels": (7, 26, 30)}, "3 labels, but classes of 2"),
        ({"class_of_label": (0, 2)}, r"classes 0..1, or 255 for none, got \(0, 2\)"),
        ({"thing_labels": (26,)}, r"thing_labels must be some of \(0, 1\), got \(26,\)"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tables, message):
    with pytest.raises(ValueError, match=message):
        LabelSet(**{"classes": ("road", "car"), "palette": (BLACK, RED)} | tables)
