"""One network, all your dense tasks: multi-task U-Nets for MONAI, in 2D and 3D."""

__version__ = "0.1.0"
