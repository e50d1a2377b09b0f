import itertools
import re

import pytest
from monai.bundle import ConfigParser

from monai_mtunet.data import LoadSyntheticd, decathlon_datalist, hippocampus_scan, keep_labels

DATALIST = [{"image": f"h/hippocampus_{i:03}.nii.gz", "segment": f"l/{i}.nii.gz"} for i in range(1, 41)]


def labeled(datalist):
    return {i for i, sample in enumerate(datalist) if sample["segment"] is not None}


def test_all_samples_stay_and_some_lose_their_labels():
    kept = keep_labels(DATALIST, fraction=0.1)
    assert [sample["image"] for sample in kept] == [sample["image"] for sample in DATALIST]
    assert len(labeled(kept)) == 4
    assert all(kept[i] == DATALIST[i] for i in labeled(kept))
    assert all(sample["segment"] is not None for sample in DATALIST)  # the given list is left alone
    assert labeled(keep_labels(DATALIST, count=4)) == labeled(kept)
    assert keep_labels(DATALIST) == DATALIST


def test_fewer_labels_are_a_part_of_more_and_follow_from_the_seed():
    for subject in (None, hippocampus_scan):
        sets = [labeled(keep_labels(DATALIST, count=n, seed=3, subject=subject)) for n in range(41)]
        assert [len(kept) for kept in sets] == list(range(41))
        assert all(less < more for less, more in itertools.pairwise(sets))
        assert sets[16] == labeled(keep_labels(DATALIST, count=16, seed=3, subject=subject))
        assert sets[16] != labeled(keep_labels(DATALIST, count=16, seed=4, subject=subject))


@pytest.mark.parametrize("count", [4, 5, 16])
def test_a_scan_is_labeled_whole(count):
    kept = labeled(keep_labels(DATALIST, count=count, subject=hippocampus_scan))
    scans = {hippocampus_scan(DATALIST[i]) for i in kept}
    assert len(scans) == (count + 1) // 2


def test_a_small_fraction_is_one_sample_at_least():
    assert len(labeled(keep_labels(DATALIST, fraction=0.001))) == 1
    assert labeled(keep_labels(DATALIST, fraction=0)) == set()


def test_several_labels_of_a_sample_go_together():
    both = [{"image": "a", "fine": "b", "coarse": "c"}] * 6
    kept = keep_labels(both, ["fine", "coarse"], count=2)
    assert sorted((s["fine"], s["coarse"]) for s in kept if s["fine"]) == [("b", "c")] * 2
    assert all((s["fine"] is None) == (s["coarse"] is None) for s in kept)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"fraction": 1.1}, "within 0..1, got 1.1"), ({"count": 41}, "within 0..40, the samples there are, got 41")],
)
def test_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        keep_labels(DATALIST, **arguments)


def test_synthetic_scenes_can_lack_labels():
    (sample,) = keep_labels([{"seed": 1}], count=0)
    loaded = LoadSyntheticd(spatial_size=16)(sample)
    assert loaded["segment"] is None
    assert loaded["image"].shape == (3, 16, 16)


def test_a_bundle_can_name_what_a_sample_belongs_to():
    config = {"subject": "$monai_mtunet.data.hippocampus_scan", "imports": ["$import monai_mtunet"]}
    assert ConfigParser(config).get_parsed_content("subject") is hippocampus_scan


def test_real_scans(real_data):
    datalist = decathlon_datalist(real_data("hippocampus", "Task04_Hippocampus"), "train", fold=0)
    kept = keep_labels(datalist, count=16, subject=hippocampus_scan)
    assert len(labeled(kept)) == 16
    scans = [hippocampus_scan(sample) for sample in datalist]
    whole = [scan for scan in set(scans) if {i for i, s in enumerate(scans) if s == scan} <= labeled(kept)]
    assert len(whole) >= 8
