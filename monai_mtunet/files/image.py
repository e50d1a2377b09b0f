"""An image in a file: what it says, and its values, box by box."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .axes import StoredAxes, native, whole_box
from .damage import advice
from .header import Header, Kind

__all__ = ["Image"]


class Image:
    """An image whose values are read when asked, all or a box of them.

    It pickles, as worker processes need; each opens the file for itself.

    Args:
        path: its file, store or folder.
        header: what the file says besides its values.
        axes: the stored axes.
        open_values: opens the stored array, which is indexed by slices; called once per process.
        reason: why a box is not read without reading the whole; "" where it is.

    Attributes:
        shape: ``(C, H, W)`` as displayed, or ``(C, X, Y, Z)``.
    """

    def __init__(
        self,
        path: Path,
        header: Header,
        axes: StoredAxes,
        open_values: Callable[[], Any],
        reason: str = "",
    ) -> None:
        self.path = path
        self.header = header
        self.axes = axes
        self.reason = reason
        self.shape: tuple[int, ...] = axes.package_shape
        self._open_values = open_values
        self._values: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_values": None}

    def keep(self, values: Any) -> None:
        """Keep the opened values, where opening the file has read them already."""
        self._values = values

    def __repr__(self) -> str:
        return f"Image({str(self.path)!r}, shape={self.shape}, dtype={self.dtype})"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values as read, that of the scaled ones where a header scales them."""
        return np.dtype(self.header.dtype)

    @property
    def kind(self) -> Kind:
        """What a prediction of it is written as."""
        return self.header.kind

    @property
    def spatial_dims(self) -> int:
        """2 or 3."""
        return self.header.spatial_dims

    @property
    def affine(self) -> NDArray[np.float64] | None:
        """4 x 4, from spatial indices to places, as `LoadSampled` gives it; None where the file says none."""
        return None if self.header.affine is None else np.array(self.header.affine)

    @property
    def spacing(self) -> tuple[float, ...] | None:
        """Length of a voxel along each spatial axis, None where the file says none."""
        return self.header.spacing

    @property
    def unit(self) -> str | None:
        """Unit of spacing and affine, None where the file says none."""
        return self.header.unit

    @property
    def random_access(self) -> bool:
        """Whether a box is read without reading the whole."""
        return not self.reason

    def read(self, box: Sequence[slice] | None = None) -> NDArray[Any]:
        """Read a box, of all channels.

        Args:
            box: one slice per spatial axis. Default: the whole image.

        Returns:
            ``(C, *box)``.

        Raises:
            ValueError: When the box is not inside of the image.
            OSError: When the file is damaged.
        """
        index = self.axes.index(whole_box(box, self.shape[1:]))
        with naming(self.path):
            if self._values is None:
                self._values = self._open_values()
            result = native(self.axes.to_package(np.asarray(self._values[index])))
            kept = isinstance(self._values, np.ndarray) and np.may_share_memory(result, self._values)
            return result.copy() if kept else result


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let all errors name the file: each format's library has exceptions of its own.

    Raises:
        UnreadableError: For whatever a library raises.
    """
    try:
        yield
    except (ImportError, MemoryError, PermissionError, UnreadableError):
        raise
    except Exception as error:
        said = f"The reader said: {type(error).__name__}: {error}"
        raise UnreadableError(f"{path} cannot be read. {advice(path)} {said}") from error


class UnreadableError(OSError):
    """A file is damaged or of no known format; the message names it, and says what to do."""


class UnsuitableImageError(UnreadableError):
    """A file is as its writer wanted it, but no image of this package."""
