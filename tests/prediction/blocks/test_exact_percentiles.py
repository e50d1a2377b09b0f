import numpy as np
import pytest

from monai_mtunet.prediction.blocks.exact_percentiles import exact_percentiles

PERCENTILES = (0, 0.5, 37.3, 50, 99.5, 99.99, 100)


def values(kind: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    return {
        "normal": rng.normal(-3, 40, 10007),
        "uint16": rng.integers(0, 65536, 5001),
        "int16": rng.integers(-1000, 3000, 5000),
        "few": np.array([2.5, -1.0]),
        "one": np.array([-7.0]),
        "tiny and huge": rng.normal(size=999) * 10.0 ** rng.integers(-38, 38, 999),
        "constant": np.full(50, 3.25),
        "with missing": np.where(rng.random(3001) < 0.2, np.nan, rng.normal(size=3001)),
        "infinite": np.append(rng.normal(size=100), [np.inf, -np.inf, np.nan]),
    }[kind].astype(np.float32)


@pytest.mark.parametrize(
    "kind", ["normal", "uint16", "int16", "few", "one", "tiny and huge", "constant", "with missing", "infinite"]
)
@pytest.mark.parametrize("parts", [1, 7])
def test_equals_numpy_to_the_last_bit(kind, parts):
    array = values(kind)
    found = exact_percentiles(lambda: np.array_split(array, parts), PERCENTILES)
    expected = np.percentile(array[np.isfinite(array)], PERCENTILES)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_nothing_finite():
    assert exact_percentiles(lambda: [np.full(3, np.nan, dtype=np.float32)], (0, 100)) is None


def test_two_passes_over_parts_of_any_shape():
    passes = []

    def parts():
        passes.append(1)
        yield np.arange(6, dtype=np.float32).reshape(1, 2, 3)
        yield np.float32([[[10]]])

    assert exact_percentiles(parts, (0, 50, 100)).tolist() == [0, 3, 10]
    assert len(passes) == 2
