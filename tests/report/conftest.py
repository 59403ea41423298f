"""Scans for the report's tests: real CTs, with gradings and evidence invented for layout.

Nothing here says anything about these patients; only the pictures are real.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import zoom

from spinexplain.anatomy import VertebraLevel
from spinexplain.atlas import AtlasPatch, Embedding, ModelAtlas, PrototypeEntry
from spinexplain.findings import Assessment, ScanFindings, ScanSource, VertebraFindings
from spinexplain.io.centroids import read_centroids
from spinexplain.io.nifti import read_labels, read_volume
from spinexplain.spine.reformat import overview_frame, reformat
from spinexplain.spine.sampling import sample_labels, sample_volume
from spinexplain.types import (
    Evidence,
    Exemplar,
    Explanation,
    Grading,
    Heights,
    LabelMap,
    ModelInfo,
    Patch,
    Vertebra,
    Volume,
)

DATA = Path(__file__).resolve().parents[1] / "data"
LUMBAR = DATA / "totalsegmentator-example"
THORACIC = DATA / "totalsegmentator-thoracic"

PROTOVERSE = ModelInfo(
    name="protoverse-lite0",
    version="0.1.0",
    sha256="3f6a" * 16,
    classes=("G0", "G2", "G3"),
    trained_on="synthetic spines only; not validated on patients",
)
DISSECTED = ModelInfo(
    name="unet3d-dissected",
    version="0.1.0",
    sha256="90c1" * 16,
    classes=("no fracture", "fracture"),
    trained_on="synthetic spines only; not validated on patients",
)

# level: (model scores, height loss, its interval, class, class range, shape, flags)
LUMBAR_STORY = {
    "T12": ((0.93, 0.05, 0.02), 0.06, (0.01, 0.12), 0, (0, 0), "none", ()),
    "L1": ((0.08, 0.67, 0.25), 0.31, (0.24, 0.38), 2, (1, 2), "wedge", ("thick_slices",)),
    "L2": ((0.88, 0.09, 0.03), 0.09, (0.03, 0.15), 0, (0, 0), "none", ("thick_slices",)),
    "L3": ((0.71, 0.21, 0.08), 0.29, (0.26, 0.33), 2, (2, 2), "biconcave", ("thick_slices",)),
    "L4": ((0.90, 0.07, 0.03), 0.04, (-0.03, 0.10), 0, (0, 0), "none", ()),
    "L5": ((0.34, 0.33, 0.33), 0.22, (0.14, 0.29), 1, (0, 2), "wedge", ("touches_border",)),
}


@pytest.fixture(scope="session")
def lumbar() -> ScanFindings:
    """Six levels with heights; one is not assessable, one disagrees."""
    volume = read_volume(LUMBAR / "example_ct.nii.gz")
    labels = read_labels(LUMBAR / "totalseg_vertebrae_pp_refined.nii.gz")
    body = read_labels(LUMBAR / "totalseg_vertebrae_body.nii.gz")
    bodies = LabelMap(np.where(body.array > 0, labels.array, 0), labels.affine)
    vertebrae = [_centered(bodies, label) for label in range(19, 25)]
    story = dict(LUMBAR_STORY)
    patches = reformat(volume, vertebrae)
    heights = [
        _heights(patch, bodies, *story[patch.vertebra.level.value][1:6]) for patch in patches
    ]
    findings = [
        _findings(patch, story[patch.vertebra.level.value], height, patches)
        for patch, height in zip(patches, heights, strict=True)
    ]
    last = findings[-1]
    findings[-1] = replace(
        last, assessments=(Assessment(None, None),), flags=("not_assessable: touches_border",)
    )
    return _scan("example_ct.nii.gz", volume, vertebrae, findings, {"level_names": "mask"})


@pytest.fixture(scope="session")
def thoracic() -> ScanFindings:
    """Ten levels from centroids: no mask, so no heights."""
    volume = read_volume(THORACIC / "thoracic_ct.nii.gz")
    vertebrae = read_centroids(THORACIC / "thoracic_ctd.json", volume)
    patches = reformat(volume, vertebrae)
    scores = {"T11": (0.10, 0.78, 0.12), "T6": (0.05, 0.24, 0.71)}
    findings = [
        _findings(p, (scores.get(p.vertebra.level.value, (0.9, 0.07, 0.03)), None), None, patches)
        for p in patches
    ]
    return _scan("thoracic_ct.nii.gz", volume, vertebrae, findings, {"level_names": "centroids"})


@pytest.fixture(scope="session")
def healthy(lumbar: ScanFindings) -> ScanFindings:
    """No suspicious vertebra at all."""
    calm = [item for item in lumbar.vertebrae if item.vertebra.level.value in ("T12", "L2", "L4")]
    return replace(lumbar, vertebrae=tuple(calm))


@pytest.fixture(scope="session")
def two_models(lumbar: ScanFindings) -> ScanFindings:
    """The lumbar scan graded by a second model of two classes that explains with units."""
    vertebrae = tuple(_with_second_model(item) for item in lumbar.vertebrae)
    return replace(lumbar, models=(PROTOVERSE, DISSECTED), vertebrae=vertebrae)


@pytest.fixture(scope="session")
def long_spine(lumbar: ScanFindings) -> ScanFindings:
    """Seventeen suspicious levels of fine noise: the heaviest page there can be."""
    rng = np.random.default_rng(7)
    suspicious = lumbar.vertebrae[1]
    levels = [VertebraLevel(f"T{i}") for i in range(1, 13)]
    levels += [VertebraLevel(f"L{i}") for i in range(1, 6)]
    vertebrae = []
    for index, level in enumerate(levels):
        center = (0.0, 100.0, 430.0 - 25.0 * index)
        noise = rng.normal(300, 300, suspicious.patch.array.shape).astype(np.float32)
        patch = replace(suspicious.patch, vertebra=Vertebra(level, center), array=noise)
        explained = replace(suspicious.assessments[0].explanation, patch=patch)
        grading = replace(suspicious.assessments[0].grading, vertebra=patch.vertebra)
        assessments = (Assessment(grading, explained),)
        vertebrae.append(replace(suspicious, patch=patch, assessments=assessments))
    return replace(lumbar, vertebrae=tuple(vertebrae))


@pytest.fixture(scope="session")
def graded_as() -> Callable[..., VertebraFindings]:
    """Replace what one vertebra was graded as, and its flags."""

    def grade(item: VertebraFindings, scores: Sequence[float] | None, *flags: str):
        if scores is None:
            return replace(item, assessments=(Assessment(None, None),), flags=flags)
        grading = Grading(item.vertebra, PROTOVERSE.classes, tuple(scores))
        return replace(item, assessments=(Assessment(grading, None),), flags=flags)

    return grade


def _scan(
    name: str,
    volume: Volume,
    vertebrae: Sequence[Vertebra],
    findings: Sequence[VertebraFindings],
    settings: dict[str, str],
) -> ScanFindings:
    middle = vertebrae[len(vertebrae) // 2]
    frame = overview_frame(vertebrae, volume)
    overview = Patch(middle, sample_volume(volume, frame)[0], frame)
    x, y, z = volume.array.shape
    source = ScanSource(name, "b58e" * 16, (x, y, z), volume.spacing_mm)
    command = f"spinexplain grade {name} --labels mask.nii.gz -o out"
    settings = {**settings, "seed": "0", "command": command}
    return ScanFindings(source, volume, (PROTOVERSE,), tuple(findings), overview, settings)


def _centered(bodies: LabelMap, label: int) -> Vertebra:
    middle = np.argwhere(bodies.array == label).mean(axis=0)
    x, y, z = bodies.affine[:3, :3] @ middle + bodies.affine[:3, 3]
    return Vertebra(VertebraLevel.from_verse_label(label), (float(x), float(y), float(z)))


def _findings(
    patch: Patch, story: tuple, heights: Heights | None, patches: Sequence[Patch]
) -> VertebraFindings:
    grading = Grading(patch.vertebra, PROTOVERSE.classes, story[0])
    explanation = _prototypes(patch, grading.grade, patches)
    flags = story[6] if len(story) > 6 else ()
    return VertebraFindings(patch, heights, (Assessment(grading, explanation),), flags)


def _heights(
    patch: Patch,
    bodies: LabelMap,
    loss: float,
    interval: tuple[float, float],
    height_class: int,
    class_range: tuple[int, int],
    shape: str,
) -> Heights:
    """Read the landmarks off the body's silhouette; the losses are the story's."""
    inside = sample_labels(bodies, patch.frame) == patch.vertebra.level.verse_label
    columns = np.flatnonzero(inside.any(axis=0))
    ends = []
    for share in (0.15, 0.5, 0.85):
        column = columns[round(share * (len(columns) - 1))]
        rows = np.flatnonzero(inside[:, column])
        ends.append([[rows.min() - 0.5, column], [rows.max() + 0.5, column]])
    landmarks = patch.frame.to_mm(np.array(ends, dtype=float))
    anterior, middle, posterior = np.linalg.norm(landmarks[:, 0] - landmarks[:, 1], axis=-1)
    lost = {"wedge": (loss, loss / 2, 0.03), "biconcave": (0.05, loss, 0.04)}
    losses = lost.get(shape, (loss, loss, loss))
    measured = (float(anterior), float(middle), float(posterior))
    expected = tuple(mm / (1 - share) for mm, share in zip(measured, losses, strict=True))
    return Heights(
        *measured,
        expected_mm=(expected[0], expected[1], expected[2]),
        loss=loss,
        loss_interval=interval,
        height_loss_class=height_class,
        class_range=class_range,
        shape=shape,
        own_posterior_loss=max(1 - measured[0] / measured[2], 1 - measured[1] / measured[2]),
        thirds_mm={
            "left": (measured[0] + 0.6, measured[1] + 0.4, measured[2] + 0.2),
            "middle": measured,
            "right": (measured[0] - 0.5, measured[1] - 0.2, measured[2] + 0.1),
        },
        landmarks_mm=landmarks,
    )


def _blob(
    shape: tuple[int, ...], row: float, column: float, rng: np.random.Generator
) -> np.ndarray:
    """A 7 x 7 similarity map with one bump, upsampled as a prototype's is."""
    grid = np.stack(np.mgrid[:7, :7], axis=-1) - np.array([row, column])
    bump = 4.5 * np.exp(-(grid**2).sum(axis=-1) / 1.1) + rng.uniform(0, 0.25, (7, 7))
    return np.clip(
        zoom(bump, shape[0] / 7, order=3, mode="nearest", grid_mode=True), 0, None
    ).astype(np.float32)


def _prototypes(patch: Patch, target: str, patches: Sequence[Patch]) -> Explanation:
    """Nine invented prototypes: three for the target, six that speak against it."""
    rng = np.random.default_rng(patch.vertebra.level.verse_label)
    shape = patch.array.shape
    evidence = []
    for index in range(9):
        class_name = ("G0", "G2", "G3")[(index // 3 + ("G0", "G2", "G3").index(target)) % 3]
        connection = [1.31, 1.08, 0.94][index] if index < 3 else -0.12
        similarity = [3.4, 2.6, 1.1][index] if index < 3 else rng.uniform(0.4, 1.8)
        place = [(2.6, 2.7), (3.4, 3.0), (2.2, 4.1)][index % 3]
        exemplar = Exemplar(
            array=patches[(index + 1) % len(patches)].array,
            heatmap=_blob(shape, place[0] + 0.4, place[1], rng),
            subject=f"phantom-{100 + index:04d}",
            series="ct",
            level=patches[(index + 1) % len(patches)].vertebra.level.value,
            grade=class_name,
            synthetic=index != 1,
            cell=(3, 3),
        )
        evidence.append(
            Evidence(
                name=f"{class_name} prototype {index % 3 + 1}",
                class_name=class_name,
                heatmap=_blob(shape, *place, rng) * np.float32(similarity / 4.5),
                score=similarity * connection,
                terms={"similarity": similarity, "connection": connection},
                exemplars=(exemplar,),
            )
        )
    evidence.sort(key=lambda item: item.score, reverse=True)
    return Explanation(patch, target, "prototypes", "contribution to the logit", tuple(evidence))


def _with_second_model(item: VertebraFindings) -> VertebraFindings:
    if item.assessments[0].grading is None:
        return replace(item, assessments=(*item.assessments, Assessment(None, None)))
    first = item.assessments[0].explanation
    assert first is not None
    units = tuple(
        replace(
            one,
            name=f"unit {40 + rank}",
            class_name="fracture",
            exemplars=one.exemplars,
            score=0.9 - 0.1 * rank,
            terms={
                "relevance": 0.9 - 0.1 * rank,
                "unit": 40.0 + rank,
                "units": 512.0,
                "rank": rank + 1.0,
                "rank_low": 1.0,
                "rank_high": rank + 4.0,
                "contrast": 0.6 - 0.3 * rank,
                "raters": 2.0 - rank,
                "meaningful": 1.0,
            },
        )
        for rank, one in enumerate(first.evidence[:4])
    )
    explanation = Explanation(item.patch, "fracture", "dissection", "unit activation", units)
    grading = Grading(item.vertebra, DISSECTED.classes, (0.42, 0.58))
    return replace(item, assessments=(*item.assessments, Assessment(grading, explanation)))


@pytest.fixture(scope="session")
def make_atlas() -> Callable[..., ModelAtlas]:
    """Return a maker of atlases with two prototypes a class and numbers for paper and pencil."""
    return _make_atlas


def _bump(cell, shape=(48, 48), step=8):
    """A map with one hill on a cell's center."""
    grid = np.indices(shape)
    square = sum((axis - step * c) ** 2 for axis, c in zip(grid, cell, strict=True))
    return (4 * np.exp(-square / 40)).astype(np.float32)


def _atlas_patch(grade="G0", cell=(3, 2), shape=(48, 48), name="sub-1", withheld=False, **changes):
    rng = np.random.default_rng(sum(cell))
    settings = {
        "subject": name,
        "series": "ct",
        "level": "L1",
        "grade": grade,
        "synthetic": True,
        "cell": cell,
        "similarity": 4.0,
        "distance": 0.25,
        "array": None if withheld else rng.normal(200, 200, shape).astype(np.float32),
        "heatmap": _bump(cell, shape),
    }
    return AtlasPatch(**settings | changes)


def _make_atlas(name="protoverse-made", withheld=False, shape=(48, 48), subject="sub-1"):
    """Two classes, two prototypes each; G0's are parallel after projection."""
    classes = ("G0", "G3")
    cell = (3, 2, 1)[: len(shape)]
    entries = []
    for index in range(4):
        grade = classes[index // 2]
        near = [
            _atlas_patch(classes[(index + k) % 2], cell, shape, subject, withheld) for k in range(3)
        ]
        entries.append(
            PrototypeEntry(
                name=f"{grade} prototype {index % 2 + 1}",
                class_name=grade,
                source=_atlas_patch(grade, cell, shape, subject, withheld),
                connections={"G0": 1.0 - index, "G3": -0.5 + index},
                neighbors=tuple(near),
                travelled=0.5 * index,
                winner_share=(0.9, 0.1, 0.5, 0.5)[index],
                usage=0.25,
                structures={
                    "beside the bone": 0.25,
                    "body": 0.25 + 0.1 * index,
                    "posterior elements": 0.05,
                    "other vertebrae": 0.45 - 0.1 * index,
                },
            )
        )
    after = np.array([[2.0, 1.0], [4.0, 2.0], [0.0, 3.0], [3.0, 0.0]])
    before = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 3.0], [3.0, 0.0]])
    return ModelAtlas(
        info=ModelInfo(name, "1", "ab12" * 16, classes, "drawn squares"),
        prototypes=tuple(entries),
        before=before,
        after=after,
        center=np.array([1.0, 1.0]),
        patch_distance=1.0,
        patch_cosine=(0.97, 0.31),
        embedding=Embedding(
            points=np.array([[0.0, 0.0], [2.0, 1.0], [1.0, 0.5]]),
            classes=("G0", "G3", "G3"),
            before=before,
            after=after,
            explained=(0.8, 0.15),
        ),
        crops={"G0": 20, "G3": 10},
        structure_crops=10,
        extent_mm=48.0,
        grid=(6,) * len(shape),
        field_mm=30.0,
        stride_mm=8.0,
        start_mm=0.5,
        structure_area={
            "beside the bone": 0.7,
            "body": 0.1,
            "posterior elements": 0.05,
            "other vertebrae": 0.15,
        },
        reliability={"balanced": {"f1": 0.85, "f1_moved": 0.8, "found_G2": 0.9}},
        cohorts=("squares",),
        withheld=withheld,
    )
