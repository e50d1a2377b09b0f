"""Datalists of seeds, one for every sample of a synthetic data set."""

from __future__ import annotations

from collections.abc import Sequence

from .animals import ANIMAL_SPECIES

__all__ = ["synthetic_datalist"]

SECTIONS = ("train", "val", "test")
LARGEST_COUNT = 1_000_000  # samples of one section of one data set


def synthetic_datalist(
    count: int, section: str = "train", seed: int = 0, species: Sequence[int] | None = None
) -> list[dict[str, int]]:
    """List the seeds of a synthetic data set, one per sample.

    The sections are disjoint whatever their counts, and so are data sets of different seeds: a sample's seed is
    ``3 * (1_000_000 * seed + index) + section``, so validation never sees a training scene.

    Args:
        count: number of samples, up to a million.
        section: "train", "val" or "test".
        seed: which data set, 0 .. 1000.
        species: for the scene "animals", numbers in `ANIMAL_SPECIES`, which take turns. The auxiliary-task study trains
            on cats and dogs, ``[0, 1]``, and measures by dogs alone, ``[1]``. By default a sample's seed decides.

    Returns:
        ``[{"seed": ...}, ...]``, with ``"species"`` if it is given, to be painted by `LoadSyntheticd`.

    Raises:
        ValueError: When an argument is out of its range.

    Example:
        >>> synthetic_datalist(2, section="val")
        [{'seed': 1}, {'seed': 4}]
        >>> synthetic_datalist(2, section="test", species=[1])
        [{'seed': 2, 'species': 1}, {'seed': 5, 'species': 1}]
    """
    if section not in SECTIONS:
        raise ValueError(f"section must be one of {SECTIONS}, got {section!r}.")
    if not 1 <= count <= LARGEST_COUNT:
        raise ValueError(f"count must be within 1..{LARGEST_COUNT}, got {count}.")
    if not 0 <= seed <= 1000:
        raise ValueError(f"seed must be within 0..1000, got {seed}.")
    first = LARGEST_COUNT * seed
    samples = [{"seed": len(SECTIONS) * (first + i) + SECTIONS.index(section)} for i in range(count)]
    if species is None:
        return samples
    if not species or not set(species) <= set(range(len(ANIMAL_SPECIES))):
        raise ValueError(f"species must be some of 0 ({ANIMAL_SPECIES[0]}) and 1 ({ANIMAL_SPECIES[1]}), got {species}.")
    return [{**sample, "species": species[i % len(species)]} for i, sample in enumerate(samples)]
