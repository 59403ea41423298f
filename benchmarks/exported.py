"""`grade` with the shipped model by torch and by its export, each in fresh processes in turns."""

import json
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from statistics import median

from harness.measure import row, write

EXAMPLES = Path(str(files("spinexplain.data") / "examples"))
MODEL = "protoverse-phantom"


def grade_here(model: str, runtime: str) -> dict[str, float]:
    """Grade the lumbar example in this process; CPU seconds, and those of loading."""
    from spinexplain.findings.assess import grade
    from spinexplain.jobs.grade import GradeRequest, read_inputs, write_outputs

    with tempfile.TemporaryDirectory() as folder:
        labels = EXAMPLES / "lumbar_seg-vert_msk.nii.gz"
        request = GradeRequest(EXAMPLES / "lumbar_ct.nii.gz", Path(folder), labels=labels)
        inputs = read_inputs(request)
        start = time.process_time()
        from spinexplain.models.bundle.store import load_grader

        grader = load_grader(model, runtime=runtime)
        loading = time.process_time() - start
        findings = grade(inputs.volume, labels=inputs.labels, models=[grader])
        write_outputs(findings, Path(folder), request)
    assert ("torch" in sys.modules) == (runtime == "torch")
    return {"load": loading, "all": time.process_time()}


def main(rounds: int) -> None:
    """Export the shipped model, grade with both in turns and store the figures."""
    spent: dict[str, list[dict[str, float]]] = {"torch": [], "auto": []}
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "exported"
        export = f"export_bundle({MODEL!r}, {str(exported)!r})"
        code = f"from spinexplain.models.runtime.export import export_bundle\n{export}"
        subprocess.run([sys.executable, "-c", code], check=True)
        for _ in range(rounds):
            for runtime, figures in spent.items():
                command = [sys.executable, __file__, str(exported), runtime]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                figures.append(json.loads(done.stdout.splitlines()[-1]))
    ours, torch = (
        {key: median(figure[key] for figure in spent[name]) for key in ("load", "all")}
        for name in ("auto", "torch")
    )
    write(
        "exported",
        "grade by an exported model",
        "The lumbar example with its mask and the shipped model, whole command from Python's start "
        "to the written report, each in fresh processes in turns. *Ours* is the export in fp32, "
        "which does without torch; the reference grades with torch.",
        [
            row("whole command / by torch", ours["all"], torch["all"]),
            row("of which loading the model / by torch", ours["load"], torch["load"]),
        ],
        packages=("openvino",),
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(grade_here(*sys.argv[1:])))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
