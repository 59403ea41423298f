import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from spinexplain.data.cohort import Cohort
from spinexplain.models.bundle.folder import locate
from spinexplain.models.bundle.store import load_grader, save_bundle
from spinexplain.train.curation.carry_out import Curated
from spinexplain.train.curation.package import Origin, curated_bundle, fates, next_version
from spinexplain.train.curation.removal import without_prototypes
from spinexplain.train.curation.sets import curation_sets
from spinexplain.train.grading.projection import PrototypeSource
from spinexplain.train.grading.run_folder import open_run


@pytest.fixture
def case(finished_run):
    opened = open_run(finished_run[0])
    origin = Origin(locate(finished_run[0]), opened.description)
    sets = curation_sets(opened.config, Cohort.open(finished_run[1]), opened.split)
    return opened, origin, sets


def test_a_bundle_without_a_prototype_is_the_hand_built_one(case, tmp_path):
    """Every array is the old one without a row or column, and what is loaded grades alike."""
    opened, origin, sets = case
    model, config = without_prototypes(opened.model, opened.config, {3})
    curated = Curated(model, config, (0, 1, 2, 4, 5))
    bundle = curated_bundle(origin, curated, sets.training, "new", {"curation": [1]}, "## Why")
    save_bundle(bundle, tmp_path / "bundle")
    old, new = (
        load_file(f / "prototypes.safetensors") for f in (origin.folder, tmp_path / "bundle")
    )
    left = [0, 1, 2, 4, 5]
    assert np.array_equal(new["maps"], old["maps"][left])
    assert np.array_equal(new["patches_hu"], old["patches_hu"][left])
    weights = load_file(origin.folder / "model.safetensors")
    hand = weights | {
        "prototypes": weights["prototypes"][left],
        "prototype_class": weights["prototype_class"][left],
        "last_layer.weight": weights["last_layer.weight"][:, left],
    }
    found = load_file(tmp_path / "bundle" / "model.safetensors")
    assert found.keys() == hand.keys()
    assert all(np.array_equal(found[name], hand[name]) for name in hand)
    grader = load_grader(tmp_path / "bundle", runtime="torch")
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(grader.model(x), model(x))
    assert [e.provenance for e in grader.exemplars] == [
        opened.grader.exemplars[i].provenance for i in left
    ]
    card = (tmp_path / "bundle" / "MODEL_CARD.md").read_text()
    assert card.startswith("# new 1+curated.1\n")
    assert card.rstrip().endswith("## Why")


def test_a_replaced_prototype_brings_its_crop(case):
    opened, origin, sets = case
    row = int(np.flatnonzero(sets.training.grades == 2)[0])
    source = PrototypeSource(row, (1, 2), 0.5)
    curated = Curated(opened.model, opened.config, tuple(range(6)), {2: source})
    bundle = curated_bundle(origin, curated, sets.training, "new", {}, "")
    assert bundle.records[2].provenance.subject == str(sets.training.subjects[row])
    assert bundle.records[2].cell == (1, 2)
    assert np.array_equal(bundle.patches_hu[2], sets.training.patches_hu[row][56:88, 56:88])
    assert bundle.records[0].cell == origin.description.prototypes[0].cell
    names = [f"p{i}" for i in range(6)]
    found = fates(origin, curated, bundle.records, (names, names))
    assert [one["fate"] for one in found] == ["kept"] * 2 + ["replaced"] + ["kept"] * 3


def test_what_was_removed_has_no_after(case):
    opened, origin, sets = case
    model, config = without_prototypes(opened.model, opened.config, {0})
    curated = Curated(model, config, (1, 2, 3, 4, 5))
    bundle = curated_bundle(origin, curated, sets.training, "new", {}, "")
    found = fates(origin, curated, bundle.records, (["a"] * 6, ["b"] * 5))
    assert found[0]["fate"] == "removed"
    assert found[0]["after"] is None
    assert found[1]["after"]["number"] == 1
    assert found[1]["before"]["number"] == 2


def test_versions_count_up():
    assert next_version(next_version("3")) == "3+curated.2"
