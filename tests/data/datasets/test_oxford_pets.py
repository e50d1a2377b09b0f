import numpy as np
import pytest
import torch
from monai.transforms import Compose, MapLabelValued, Resized
from PIL import Image

from monai_mtunet.data import (
    OXFORD_PETS,
    OXFORD_PETS_BORDER_AS_BACKGROUND,
    OXFORD_PETS_SPECIES,
    cats_and_dogs_datalist,
    oxford_pets_breeds,
    oxford_pets_datalist,
)
from monai_mtunet.tasks import BoundingBoxTask, ClassificationTask, SegmentationTask, TaskList
from monai_mtunet.transforms import BoxOfMaskd, CheckSampled, FillMissingTargetsd, LoadSampled, PaintBoxd, PictureReader

BOX = "<annotation><object><name>cat</name><bndbox>{}</bndbox></object></annotation>"
CORNERS = "<xmin>3</xmin><ymin>1</ymin><xmax>6</xmax><ymax>4</ymax>"  # columns 3 to 6 and rows 1 to 4, from 1
# Name, class id, species and breed; ids with gaps, in no order.
PETS = {
    "shiba_inu_7": "34 2 24",
    "Abyssinian_1": "1 1 1",
    "Abyssinian_2": "1 1 1",
    "Bengal_10": "6 1 2",
    **{f"pug_{i}": "30 2 20" for i in range(10)},
}
SECTIONS = {"trainval": [name for name in PETS if name != "Abyssinian_2"], "test": ["Abyssinian_2"]}
RGB = PictureReader("RGB")


@pytest.fixture
def pets(tmp_path):
    """A miniature of the data set, with images of 8 x 10."""
    annotations = tmp_path / "annotations"
    for folder in (tmp_path / "images", annotations / "trimaps", annotations / "xmls"):
        folder.mkdir(parents=True)
    lines = {name: f"{name} {ids}" for name, ids in PETS.items()}
    (annotations / "list.txt").write_text("\n".join(["#Image CLASS-ID SPECIES BREED ID", *lines.values(), ""]))
    for section, names in SECTIONS.items():
        (annotations / f"{section}.txt").write_text("\n".join(lines[name] for name in names))
    trimap = np.full((8, 10), 2, dtype=np.uint8)
    trimap[:5, 1:7], trimap[1:4, 2:6] = 3, 1
    for name in PETS:
        Image.fromarray(np.full((8, 10, 3), 100, np.uint8)).save(tmp_path / "images" / f"{name}.jpg")
        Image.fromarray(trimap).save(annotations / "trimaps" / f"{name}.png")
    for name in SECTIONS["trainval"]:
        (annotations / "xmls" / f"{name}.xml").write_text(BOX.format(CORNERS))
    return tmp_path


class TestOfficialSections:
    def test_hold_paths_species_and_boxes_in_their_order(self, pets):
        samples = oxford_pets_datalist(pets)
        assert len(samples) == 13
        assert samples[0] == {
            "image": str(pets / "images" / "shiba_inu_7.jpg"),
            "segment": str(pets / "annotations" / "trimaps" / "shiba_inu_7.png"),
            "classify": 1,
            "box": [0, 2, 4, 6],
        }
        assert samples[1]["classify"] == 0

    def test_the_test_section_has_no_boxes(self, pets):
        (sample,) = oxford_pets_datalist(pets, "test")
        assert sample["box"] is None

    def test_breeds_are_numbered_without_gaps(self, pets):
        breeds = oxford_pets_breeds(pets)
        assert breeds == ("Abyssinian", "Bengal", "pug", "shiba inu")
        samples = oxford_pets_datalist(pets, targets={"breed": "breed"})
        assert [breeds[sample["breed"]] for sample in samples[:4]] == ["shiba inu", "Abyssinian", "Bengal", "pug"]
        assert set(samples[0]) == {"image", "breed"}

    def test_without_trimaps_none_are_needed(self, pets):
        (pets / "annotations" / "trimaps" / "pug_3.png").unlink()
        assert oxford_pets_datalist(pets, targets={"classify": "species"})
        with pytest.raises(FileNotFoundError, match=r"25 of 26 files .*pug_3\.png"):
            oxford_pets_datalist(pets)


class TestCatsAndDogs:
    def test_sections_are_disjoint_and_only_dogs_are_held_out(self, pets):
        sections = {section: cats_and_dogs_datalist(pets, section) for section in ("train", "val", "test")}
        images = {section: {sample["image"] for sample in samples} for section, samples in sections.items()}
        assert {section: len(found) for section, found in images.items()} == {"train": 7, "val": 3, "test": 3}
        assert len(set.union(*images.values())) == 13  # all with a box
        assert {sample["classify"] for sample in sections["train"]} == {0, 1}
        assert {sample["classify"] for sample in sections["val"] + sections["test"]} == {1}
        assert all(sample["box"] for samples in sections.values() for sample in samples)

    def test_the_seed_chooses(self, pets):
        chosen = [cats_and_dogs_datalist(pets, "val", seed=seed) for seed in (0, 0, 1)]
        assert chosen[0] == chosen[1] != chosen[2]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"held_out": 0.5}, "within 0..0.5, .* got 0.5"),
            ({"held_out": 0.01}, "0.01 of the 11 dogs with a head box .* is none"),
            ({"section": "trainval"}, "'train', 'val' and 'test', got 'trainval'"),
        ],
    )
    def test_other_arguments_are_refused(self, pets, arguments, message):
        with pytest.raises(ValueError, match=message):
            cats_and_dogs_datalist(pets, **arguments)


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"section": "val"}, "sections 'trainval' and 'test', got 'val'"),
            ({"targets": {"box": "body_box"}}, r"targets trimap, species, breed, head_box, got \{'box': 'body_box'\}"),
        ],
    )
    def test_other_arguments_are_refused(self, pets, arguments, message):
        with pytest.raises(ValueError, match=message):
            oxford_pets_datalist(pets, **arguments)

    @pytest.mark.parametrize("line", ["pug_1 30 2", "pug_1 30 3 20", "pug_1 a 2 20"])
    def test_a_line_that_is_none(self, pets, line):
        (pets / "annotations" / "list.txt").write_text(f"# a comment\n{line}\n")
        with pytest.raises(ValueError, match=rf"list\.txt, line 2: expected .* got '{line}'"):
            oxford_pets_datalist(pets)

    def test_a_name_that_the_list_lacks(self, pets):
        (pets / "annotations" / "test.txt").write_text("pug_99 30 2 20")
        with pytest.raises(ValueError, match=r"list\.txt lacks \['pug_99'\], which test\.txt names"):
            oxford_pets_datalist(pets, "test")

    @pytest.mark.parametrize("content", ["<annotation>", "<annotation/>", BOX.format("<xmin>3</xmin>")])
    def test_a_box_that_is_none(self, pets, content):
        (pets / "annotations" / "xmls" / "pug_3.xml").write_text(content)
        with pytest.raises(ValueError, match=r"pug_3\.xml is no annotation in PASCAL VOC's form: .*Replace the file"):
            oxford_pets_datalist(pets)

    def test_no_data_set(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"Oxford-IIIT Pet is incomplete: .*robots\.ox\.ac\.uk"):
            oxford_pets_datalist(tmp_path)


def pipeline(class_of_label=OXFORD_PETS.class_of_label, size=(16, 20)):
    tasks = TaskList(
        [
            SegmentationTask("segment", OXFORD_PETS.classes),
            ClassificationTask("classify", OXFORD_PETS_SPECIES),
            BoundingBoxTask("box"),
        ]
    )
    return tasks, Compose(
        [
            LoadSampled("image", reader=RGB),
            LoadSampled("segment", label_keys="segment"),
            FillMissingTargetsd(tasks),
            PaintBoxd(tasks),
            MapLabelValued("segment", OXFORD_PETS.labels, class_of_label, dtype=torch.int16),
            Resized(["image", "segment", "box"], size, mode=["area", "nearest", "nearest"]),
            BoxOfMaskd(tasks),
            CheckSampled(2, in_channels=3, tasks=tasks),
        ]
    )


class TestSamples:
    def test_go_through_the_transforms(self, pets):
        tasks, transform = pipeline()
        sample = transform(oxford_pets_datalist(pets)[0])
        assert sample["image"].shape == (3, 16, 20)
        assert sample["segment"].unique().tolist() == [0, 1, 255]
        assert sample["box"].tolist() == pytest.approx([0, 0.2, 0.5, 0.6])
        for task in tasks:
            task.prepare_target(sample[task.name][None])

    def test_the_border_can_be_background(self, pets):
        _, transform = pipeline(OXFORD_PETS_BORDER_AS_BACKGROUND.class_of_label)
        segment = transform(oxford_pets_datalist(pets)[0])["segment"]
        assert segment.unique().tolist() == [0, 1]
        assert segment.sum() == 3 * 4 * 4

    def test_a_missing_box_stays_missing(self, pets):
        _, transform = pipeline()
        assert transform(oxford_pets_datalist(pets, "test")[0])["box"].isnan().tolist() == [True] * 4

    @pytest.mark.parametrize(("form", "mode", "channels"), [("GIF", "P", 1), ("PNG", "RGBA", 4), ("JPEG", "L", 1)])
    def test_images_that_are_no_rgb_jpegs_are_converted_or_reported(self, pets, form, mode, channels):
        path = pets / "images" / "Abyssinian_2.jpg"
        Image.new("RGB", (10, 8), (102, 102, 102)).convert(mode).save(path, format=form)
        (sample,) = oxford_pets_datalist(pets, "test", {})
        image = LoadSampled("image", reader=RGB)(sample)["image"]
        assert image.shape == (3, 8, 10)
        assert (image - 102).abs().max() <= 3
        plain = LoadSampled("image")(sample)
        with pytest.raises(ValueError, match=rf"Abyssinian_2\.jpg, 8 x 10\) has {channels} channels.*in_channels is 3"):
            CheckSampled(2, in_channels=3)(plain)


class TestRealMiniature:
    @pytest.fixture
    def miniature(self, real_data):
        return real_data("pets_mini", what="a small folder in Pet's layout, 48 of its photographs; not published")

    def test_sections(self, miniature):
        assert oxford_pets_breeds(miniature) == ("Abyssinian", "american bulldog", "Bengal")
        sections = {section: oxford_pets_datalist(miniature, section) for section in ("trainval", "test")}
        assert [len(samples) for samples in sections.values()] == [36, 12]
        assert all(sample["box"] for sample in sections["trainval"])
        assert not any(sample["box"] for sample in sections["test"])
        assert [len(cats_and_dogs_datalist(miniature, section)) for section in ("train", "val", "test")] == [28, 4, 4]
        # Abyssinian_108: 50, 14 to 336, 304 of 500 x 404.
        assert next(s["box"] for s in sections["trainval"] if "Abyssinian_108" in s["image"]) == [13, 49, 304, 336]

    def test_samples(self, miniature):
        tasks, transform = pipeline(size=(64, 64))
        for sample in map(transform, oxford_pets_datalist(miniature)[::12]):
            assert sample["segment"].unique().tolist() == [0, 1, 255]
            for task in tasks:
                task.prepare_target(sample[task.name][None])
            # Most of a head is pet.
            top, left, bottom, right = (sample["box"] * 64).round().int().tolist()
            assert (sample["segment"][0, top:bottom, left:right] == 1).float().mean() > 0.4
