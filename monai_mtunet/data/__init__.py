"""Datalists: lists of dicts, one per sample, that MONAI's data sets take as they are.

Each public data set is read in its official layout, and has a `LabelSet`: class names, palette and ids. Bundles find
everything here: ``$monai_mtunet.data.camvid_datalist(@dataset_dir)``, ``$monai_mtunet.data.CAMVID.classes``.
"""

from .datasets.camvid import CAMVID, CAMVID_CATEGORIES, camvid_datalist
from .datasets.cityscapes import CITYSCAPES, CITYSCAPES_CATEGORIES, CITYSCAPES_CATEGORIES_WITH_VOID, cityscapes_datalist
from .datasets.cityscapes_camera import LoadCityscapesCamerad
from .datasets.class_folders import class_folder_datalist, class_folder_names
from .datasets.coco import coco_voc_datalist, write_coco_voc_labels
from .datasets.decathlon import HIPPOCAMPUS, decathlon_datalist, hippocampus_scan
from .datasets.kitti import kitti_datalist
from .datasets.mtan_arrays import LoadMTANArraysd, mtan_datalist
from .datasets.nyuv2 import NYUV2
from .datasets.oxford_pets import (
    OXFORD_PETS,
    OXFORD_PETS_BORDER_AS_BACKGROUND,
    OXFORD_PETS_SPECIES,
    cats_and_dogs_datalist,
    oxford_pets_breeds,
    oxford_pets_datalist,
)
from .datasets.pascal_voc import VOC, voc_datalist
from .datasets.sbd import write_sbd_annotations
from .datasets.sstem import SSTEM, SSTEM_FOLDS
from .fold_datalist import fold_datalist
from .folder import folder_datalist
from .keep_labels import keep_labels
from .labeled_weights import labeled_weights
from .labels import LabelSet
from .read_datalist import read_datalist
from .sample_loader import SampleLoader
from .synthetic.animals import ANIMAL_SPECIES, ANIMALS
from .synthetic.geometry import GEOMETRY
from .synthetic.instances import INSTANCES
from .synthetic.load_synthetic import LoadSyntheticd
from .synthetic.shapes import SYNTHETIC, SYNTHETIC_CATEGORIES
from .synthetic.synthetic_datalist import synthetic_datalist

__all__ = [
    "ANIMALS",
    "ANIMAL_SPECIES",
    "CAMVID",
    "CAMVID_CATEGORIES",
    "CITYSCAPES",
    "CITYSCAPES_CATEGORIES",
    "CITYSCAPES_CATEGORIES_WITH_VOID",
    "GEOMETRY",
    "HIPPOCAMPUS",
    "INSTANCES",
    "NYUV2",
    "OXFORD_PETS",
    "OXFORD_PETS_BORDER_AS_BACKGROUND",
    "OXFORD_PETS_SPECIES",
    "SSTEM",
    "SSTEM_FOLDS",
    "SYNTHETIC",
    "SYNTHETIC_CATEGORIES",
    "VOC",
    "LabelSet",
    "LoadCityscapesCamerad",
    "LoadMTANArraysd",
    "LoadSyntheticd",
    "SampleLoader",
    "camvid_datalist",
    "cats_and_dogs_datalist",
    "cityscapes_datalist",
    "class_folder_datalist",
    "class_folder_names",
    "coco_voc_datalist",
    "decathlon_datalist",
    "fold_datalist",
    "folder_datalist",
    "hippocampus_scan",
    "keep_labels",
    "kitti_datalist",
    "labeled_weights",
    "mtan_datalist",
    "oxford_pets_breeds",
    "oxford_pets_datalist",
    "read_datalist",
    "synthetic_datalist",
    "voc_datalist",
    "write_coco_voc_labels",
    "write_sbd_annotations",
]
