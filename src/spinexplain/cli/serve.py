"""``spinexplain serve``: the reader in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.texts.printable import printable


def command(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Folder of the reader; made if new.")
    ],
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; any but 127.0.0.1 needs accounts.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port.")] = 8765,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="A name browsers may use for this server; may be repeated."),
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="URL", help="PostgreSQL instead of a file.")
    ] = None,
    identified: Annotated[
        bool, typer.Option("--identified", help="Show folder names; they may name the patient.")
    ] = False,
    examples: Annotated[
        bool, typer.Option("--examples", help="Take the package's example scans in.")
    ] = False,
    study: Annotated[
        list[Path] | None,
        typer.Option("--study", metavar="DIR", help="Take a reader study in; may be repeated."),
    ] = None,
    new_account: Annotated[
        str | None,
        typer.Option("--add-account", metavar="NAME", help="Make an account and leave."),
    ] = None,
    role: Annotated[
        str, typer.Option("--role", help="Of the new account: reader, 'study admin' or admin.")
    ] = "reader",
) -> None:
    """Read scans in the browser: look, check, correct, sign. Not a medical device.

    Example: spinexplain serve reader-data --examples
    """
    from spinexplain.app.serve import ServeRequest, create_account, serve

    request = ServeRequest(
        data=data,
        host=host,
        port=port,
        names=tuple(name or ()),
        database_url=database,
        identified=identified,
        examples=examples,
        studies=tuple(study or ()),
    )
    if new_account is not None:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        create_account(request, new_account, password, role)
        typer.echo(f"account made: {printable(new_account)} ({role})")
        return
    typer.echo(f"reader: http://{host}:{port}/")
    typer.echo("Research use only; not a medical device. Ctrl-C ends it.")
    serve(request)
