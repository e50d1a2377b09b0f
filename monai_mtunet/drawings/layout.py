"""Where blocks are in a drawing."""

from __future__ import annotations

from dataclasses import dataclass

from .diagram import Block, Diagram

ROW = 0.36  # inches, as all sizes


@dataclass(frozen=True)
class Layout:
    """Where blocks are: places in inches, from the image on to the right and down."""

    rows: dict[tuple[int, str | None], int]
    columns: list[float]  # where each is
    width: float  # of a block

    @classmethod
    def of(cls, diagram: Diagram) -> Layout:
        """Rows of each resolution and lane, finest resolution first, what is shared before the tasks."""
        lanes: list[str | None] = [None, *diagram.tasks]
        used = {(block.level, block.lane) for block in diagram.blocks}
        ordered = sorted(used, key=lambda place: (place[0], lanes.index(place[1])))
        last = max(block.column for block in diagram.blocks)
        pitch, width = (0.68, 0.36) if last < 16 else (0.52, 0.34) if last < 30 else (0.36, 0.28)
        columns = [pitch * column for column in range(last + 1)]
        steep = {
            diagram.blocks[connection.target].column
            for connection in diagram.connections
            if connection.style == "cross-talk"
            and diagram.blocks[connection.source].level != diagram.blocks[connection.target].level
        }
        for column in steep:  # room to tell the arrows apart
            columns[column:] = [place + 1.2 * pitch for place in columns[column:]]
        return cls({place: row for row, place in enumerate(ordered)}, columns, width)

    @property
    def height(self) -> float:
        """Of all rows."""
        return (max(self.rows.values()) + 1) * ROW

    @property
    def sides(self) -> tuple[float, float]:
        """Left and right end, with room for the resolutions and the predictions' names."""
        return -0.55, self.columns[-1] + 0.8

    def place(self, block: Block) -> tuple[float, float]:
        """A block's middle."""
        return self.columns[block.column], self.rows[block.level, block.lane] * ROW

    def half(self, block: Block) -> float:
        """From a block's place to where its arrows start and end."""
        if block.kind in ("gate", "mixture"):
            return 0.1
        return {"image": 0.2, "prediction": 0.02, "head": 0.3 * self.width}.get(block.kind, self.width / 2)
