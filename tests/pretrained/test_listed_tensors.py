from monai_mtunet.pretrained.listed_tensors import listed, listed_with_reasons

ALL = ["stem.weight", "stem.bias", "heads.a.weight", "heads.a.bias", "heads.b.weight", "heads.b.bias"]


def test_a_module_stands_for_all_of_its_tensors():
    assert listed(ALL[2:], ALL) == "heads (4 tensors)"
    assert listed(["heads.b.bias", "stem.bias", "heads.b.weight"], ALL) == "heads.b (2 tensors), stem.bias"
    assert listed([], ALL) == "none"


def test_those_of_one_reason_stand_together():
    reasons = {"stem.bias": "new", "heads.a.weight": "wide", "stem.weight": "new"}
    assert listed_with_reasons(reasons, ALL) == "stem (2 tensors) (new); heads.a.weight (wide)"
    assert listed_with_reasons({}, ALL) == "none"


def test_long_lists_are_cut():
    names = [f"{i}.weight" for i in range(20)]
    assert listed(names, [*names, *(f"{i}.bias" for i in range(20))]).endswith("7.weight and 12 more")
    assert listed_with_reasons({name: name for name in names}, names).endswith(" and 12 more")
