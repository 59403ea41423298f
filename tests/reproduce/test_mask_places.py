"""The opponent that reads the mask: trees learn what walls say, and what is right is stored."""

from types import SimpleNamespace

import numpy as np
import pytest

from spinexplain.analysis.explanations.figures import Scoring
from spinexplain.evaluate.explanations.parts import body_frame, part_regions
from spinexplain.reproduce import mask_places
from spinexplain.reproduce.mask_walls import Walls
from spinexplain.reproduce.transfer.tasks import code_hash


def drawn(n=80, seed=0):
    """Walls of 10 mm of which one endplate lacks 4 mm in one third, and the truth."""
    rng = np.random.default_rng(seed)
    heights, discs = np.full((n, 2, 12), 10.0), np.full((n, 2, 12), 4.0)
    heights += rng.normal(0, 0.2, heights.shape)
    endplate, third = rng.integers(0, 2, n), rng.integers(0, 3, n)
    for row in range(n):
        sunk = slice(4 * third[row], 4 * third[row] + 4)
        heights[row, endplate[row], sunk] -= 4
        discs[row, endplate[row], sunk] += 4
    return Walls(heights, discs), {"endplate": endplate, "third": third}


def test_trees_read_what_was_sunk():
    trees = mask_places.learned([drawn(60, 0), drawn(60, 1)])
    walls, truth = drawn(40, 2)
    parts = mask_places.read_by_trees(trees, walls)
    np.testing.assert_allclose(parts.sum(axis=(1, 2)), 1.0)
    assert np.mean(parts.sum(axis=2).argmax(axis=1) == truth["endplate"]) > 0.9
    assert np.mean(parts.sum(axis=1).argmax(axis=1) == truth["third"]) > 0.9


def test_fractures_without_one_answer_are_not_learned_from():
    walls, truth = drawn()
    blurred = {**truth, "endplate": np.where(np.arange(80) % 2, -1, truth["endplate"])}
    trees = mask_places.learned([(walls, blurred)])
    assert trees["endplate"].classes_.tolist() == [0, 1]


def test_walls_are_kept_and_taken_up(tmp_path, monkeypatch):
    from spinexplain.reproduce.setting import Setting

    walls, truth = drawn(6)
    code = code_hash("reproduce/mask_walls.py")
    path = tmp_path / "mask-walls" / f"balanced-2-31-3000-{code}.npz"
    path.parent.mkdir()
    np.savez(path, heights=walls.heights, discs=walls.discs, **truth)
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path)
    found, asked = mask_places.fractures_of(setting, "balanced-2")
    np.testing.assert_array_equal(found.heights, walls.heights)
    assert asked["third"].tolist() == truth["third"].tolist()


def test_an_interrupted_writing_of_walls_leaves_nothing(tmp_path, monkeypatch):
    walls, truth = drawn(6)
    bench = SimpleNamespace(masks={"body": 0, "neighbors": 0}, bodies=(), truth=truth)
    monkeypatch.setattr(mask_places, "walls_of", lambda *_: walls)
    path = tmp_path / "kept" / "walls.npz"

    def broken(file, **arrays):
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(mask_places.np, "savez", broken)
        with pytest.raises(KeyboardInterrupt):
            mask_places.keep_walls(bench, path)
    assert list(path.parent.iterdir()) == []
    mask_places.keep_walls(bench, path)
    assert [one.name for one in path.parent.iterdir()] == ["walls.npz"]


@pytest.fixture
def squares():
    """Eight bodies on sheets of 40 mm, of four persons; every second one broke below."""
    body = np.zeros((8, 40, 40), bool)
    body[:, 12:28, 8:32] = True
    frames = tuple(body_frame(one) for one in body)
    bench = SimpleNamespace(
        masks={"body": body},
        bodies=frames,
        truth={"endplate": np.arange(8) % 2},
        subjects=np.repeat(["a", "b", "c", "d"], 2),
        fractured=np.ones(8, bool),
    )
    regions = {"endplate": np.stack([part_regions(f, (40, 40), "endplate") for f in frames])}
    return Scoring(bench, regions, SimpleNamespace(rows=np.zeros(0, int)), 0, 50)


@pytest.mark.parametrize("wrong", [0, 1])
def test_readings_are_asked_as_maps_are(wrong, squares):
    parts = np.zeros((8, 2, 3))
    parts[np.arange(8), (np.arange(8) + wrong) % 2] = 1.0
    found = mask_places.placed(squares, parts)["placement"]["endplate"]
    assert found["value"] == 1 - wrong
