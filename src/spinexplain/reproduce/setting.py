"""Where a study finds what it needs, and where its results go."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spinexplain.errors import FileFormatError
from spinexplain.io.files import atomic_file
from spinexplain.progress import SILENT, Progress


@dataclass(frozen=True)
class Setting:
    """What a study is run with.

    Parameters
    ----------
    checkout : Path
        A checkout of the repository; its test data holds the real CTs.
    work : Path
        Cohorts, scans and networks are kept here, and taken up again.
    results : Path
        Folder the results are written to.
    images : Path
        Folder that pictures of single cases are written to.
    jobs : int
        Processes that draw side by side.
    progress : Progress
    """

    checkout: Path
    work: Path
    results: Path
    images: Path
    jobs: int = 1
    progress: Progress = SILENT

    @property
    def data(self) -> Path:
        """Folder of the real CTs."""
        return self.checkout / "tests" / "data"

    def store(self, name: str, content: Any) -> Path:
        """Replace one file of results, at once or not at all."""
        path = self.results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        return path

    def stored(self, name: str) -> Any:
        """Read one file of results; None if it is not there.

        Raises
        ------
        FileFormatError
            If it is no JSON.
        """
        path = self.results / name
        if not path.is_file():
            return None
        try:
            return json.loads(path.read_text("utf-8"))
        except ValueError:
            raise FileFormatError(
                f"{path}: holds no JSON; expected stored results. Remove it to measure again."
            ) from None
