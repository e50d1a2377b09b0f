"""How the ledgers in a folder of predictions are named."""

from __future__ import annotations

from pathlib import Path

__all__ = ["LEDGER", "ledger_name", "ledgers"]

LEDGER = "predictions.jsonl"  # in the folder of predictions


def ledger_name(part: int, parts: int) -> str:
    """Of the process that is dealt one of so many parts of the images."""
    return LEDGER if parts == 1 else f"{Path(LEDGER).stem}.{part}-of-{parts}.jsonl"


def ledgers(output_dir: Path) -> list[Path]:
    """All of a folder of predictions: one, or those of processes that share the images."""
    return sorted(output_dir.glob(f"{Path(LEDGER).stem}*.jsonl"))
