"""Datalists: lists of dicts, one per sample, that MONAI's data sets take as they are.

Each public data set is read in its official layout, and comes with its class names, palette and label tables. Bundles
find everything here: ``$monai_mtunet.data.camvid_datalist(@dataset_dir)``, ``$monai_mtunet.data.CAMVID_CLASSES``.
"""

from .camvid import (
    CAMVID_CATEGORIES,
    CAMVID_CATEGORY_OF_LABEL,
    CAMVID_CATEGORY_PALETTE,
    CAMVID_CLASS_OF_LABEL,
    CAMVID_CLASSES,
    CAMVID_LABELS,
    CAMVID_PALETTE,
    camvid_datalist,
)
from .cityscapes import (
    CITYSCAPES_CATEGORIES,
    CITYSCAPES_CATEGORY_OF_LABEL,
    CITYSCAPES_CATEGORY_OF_LABEL_WITH_VOID,
    CITYSCAPES_CATEGORY_PALETTE,
    CITYSCAPES_CLASS_OF_LABEL,
    CITYSCAPES_CLASSES,
    CITYSCAPES_IGNORED_LABELS,
    CITYSCAPES_LABEL_OF_CLASS,
    CITYSCAPES_LABELS,
    CITYSCAPES_PALETTE,
    CITYSCAPES_THING_LABELS,
    CITYSCAPES_THINGS,
    cityscapes_datalist,
)
from .cityscapes_camera import LoadCityscapesCamerad
from .class_folders import class_folder_datalist, class_folder_names
from .coco import coco_voc_datalist, write_coco_voc_labels
from .decathlon import (
    HIPPOCAMPUS_CLASSES,
    HIPPOCAMPUS_PALETTE,
    decathlon_datalist,
    hippocampus_scan,
)
from .folder import folder_datalist
from .keep_labels import keep_labels
from .kitti import kitti_datalist
from .labeled_weights import labeled_weights
from .mtan_arrays import LoadMTANArraysd, mtan_datalist
from .nyuv2 import NYUV2_CLASSES, NYUV2_PALETTE
from .oxford_pets import (
    OXFORD_PETS_CLASS_OF_LABEL,
    OXFORD_PETS_CLASS_OF_LABEL_BORDER_AS_BACKGROUND,
    OXFORD_PETS_CLASSES,
    OXFORD_PETS_LABELS,
    OXFORD_PETS_PALETTE,
    OXFORD_PETS_SPECIES,
    cats_and_dogs_datalist,
    oxford_pets_breeds,
    oxford_pets_datalist,
)
from .pascal_voc import VOC_CLASSES, VOC_LABELS, VOC_PALETTE, voc_datalist
from .sbd import write_sbd_annotations
from .sstem import (
    SSTEM_CLASS_OF_LABEL,
    SSTEM_CLASSES,
    SSTEM_FOLDS,
    SSTEM_LABELS,
    SSTEM_PALETTE,
)
from .synthetic import (
    SYNTHETIC_CATEGORIES,
    SYNTHETIC_CATEGORY_OF_LABEL,
    SYNTHETIC_CATEGORY_PALETTE,
    SYNTHETIC_CLASSES,
    SYNTHETIC_LABELS,
    SYNTHETIC_PALETTE,
    LoadSyntheticd,
    synthetic_datalist,
)
from .synthetic_animals import (
    ANIMAL_CLASSES,
    ANIMAL_PALETTE,
    ANIMAL_SPECIES,
    LoadSyntheticAnimald,
    synthetic_animals_datalist,
)
from .synthetic_geometry import GEOMETRY_CLASSES, GEOMETRY_PALETTE, LoadSyntheticGeometryd
from .synthetic_instances import INSTANCE_CLASSES, INSTANCE_PALETTE, LoadSyntheticInstancesd

__all__ = [
    "ANIMAL_CLASSES",
    "ANIMAL_PALETTE",
    "ANIMAL_SPECIES",
    "CAMVID_CATEGORIES",
    "CAMVID_CATEGORY_OF_LABEL",
    "CAMVID_CATEGORY_PALETTE",
    "CAMVID_CLASSES",
    "CAMVID_CLASS_OF_LABEL",
    "CAMVID_LABELS",
    "CAMVID_PALETTE",
    "CITYSCAPES_CATEGORIES",
    "CITYSCAPES_CATEGORY_OF_LABEL",
    "CITYSCAPES_CATEGORY_OF_LABEL_WITH_VOID",
    "CITYSCAPES_CATEGORY_PALETTE",
    "CITYSCAPES_CLASSES",
    "CITYSCAPES_CLASS_OF_LABEL",
    "CITYSCAPES_IGNORED_LABELS",
    "CITYSCAPES_LABELS",
    "CITYSCAPES_LABEL_OF_CLASS",
    "CITYSCAPES_PALETTE",
    "CITYSCAPES_THINGS",
    "CITYSCAPES_THING_LABELS",
    "GEOMETRY_CLASSES",
    "GEOMETRY_PALETTE",
    "HIPPOCAMPUS_CLASSES",
    "HIPPOCAMPUS_PALETTE",
    "INSTANCE_CLASSES",
    "INSTANCE_PALETTE",
    "NYUV2_CLASSES",
    "NYUV2_PALETTE",
    "OXFORD_PETS_CLASSES",
    "OXFORD_PETS_CLASS_OF_LABEL",
    "OXFORD_PETS_CLASS_OF_LABEL_BORDER_AS_BACKGROUND",
    "OXFORD_PETS_LABELS",
    "OXFORD_PETS_PALETTE",
    "OXFORD_PETS_SPECIES",
    "SSTEM_CLASSES",
    "SSTEM_CLASS_OF_LABEL",
    "SSTEM_FOLDS",
    "SSTEM_LABELS",
    "SSTEM_PALETTE",
    "SYNTHETIC_CATEGORIES",
    "SYNTHETIC_CATEGORY_OF_LABEL",
    "SYNTHETIC_CATEGORY_PALETTE",
    "SYNTHETIC_CLASSES",
    "SYNTHETIC_LABELS",
    "SYNTHETIC_PALETTE",
    "VOC_CLASSES",
    "VOC_LABELS",
    "VOC_PALETTE",
    "LoadCityscapesCamerad",
    "LoadMTANArraysd",
    "LoadSyntheticAnimald",
    "LoadSyntheticGeometryd",
    "LoadSyntheticInstancesd",
    "LoadSyntheticd",
    "camvid_datalist",
    "cats_and_dogs_datalist",
    "cityscapes_datalist",
    "class_folder_datalist",
    "class_folder_names",
    "coco_voc_datalist",
    "decathlon_datalist",
    "folder_datalist",
    "hippocampus_scan",
    "keep_labels",
    "kitti_datalist",
    "labeled_weights",
    "mtan_datalist",
    "oxford_pets_breeds",
    "oxford_pets_datalist",
    "synthetic_animals_datalist",
    "synthetic_datalist",
    "voc_datalist",
    "write_coco_voc_labels",
    "write_sbd_annotations",
]
