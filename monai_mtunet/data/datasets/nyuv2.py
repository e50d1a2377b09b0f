"""NYU Depth v2, indoor scenes seen by a Kinect, in 13 classes: names and colors.

Silberman et al., "Indoor Segmentation and Support Inference from RGBD Images", ECCV 2012; 13 classes after Couprie et
al., "Indoor Semantic Segmentation using depth information", ICLR 2013, with the colors of SceneNet RGB-D. Laid out as
arrays for MTAN (795 images for training, 654 for validation, 288 x 384), it is read by `mtan_datalist`.
"""

from __future__ import annotations

from ..labels import LabelSet

__all__ = ["NYUV2"]

# fmt: off
NYUV2 = LabelSet(
    classes=(
        "bed", "books", "ceiling", "chair", "floor", "furniture", "objects", "painting", "sofa", "table", "tv", "wall",
        "window",
    ),
    palette=(
        (0, 0, 255), (233, 89, 48), (0, 218, 0), (149, 0, 240), (222, 241, 24), (255, 206, 206), (0, 224, 229),
        (106, 136, 204), (117, 29, 41), (240, 35, 235), (0, 167, 156), (249, 139, 0), (225, 229, 194),
    ),
)
# fmt: on
