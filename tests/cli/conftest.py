"""Runs the command line in-process and says how it ended."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from spinexplain.cli.main import run

DATA = Path(__file__).parent.parent / "data"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line on stderr that says what is wrong."""
        lines = [line for line in self.err.splitlines() if line.startswith("spinexplain: ")]
        assert len(lines) == 1, self.err
        return lines[0]


@pytest.fixture
def spinexplain(capsys):
    """Return a function that runs the command line: spinexplain("grade", ...) -> Ended."""

    def call(*arguments) -> Ended:
        capsys.readouterr()
        try:
            run([str(argument) for argument in arguments])
            code = 0
        except SystemExit as end:
            code = end.code or 0
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ended(code, captured.out, captured.err)

    return call


@pytest.fixture
def lumbar():
    """CT and mask of the lumbar example."""
    folder = DATA / "totalsegmentator-example"
    return folder / "example_ct.nii.gz", folder / "totalseg_vertebrae_pp_refined.nii.gz"


@pytest.fixture
def thoracic():
    """CT and centroids of the thoracic example."""
    folder = DATA / "totalsegmentator-thoracic"
    return folder / "thoracic_ct.nii.gz", folder / "thoracic_ctd.json"
