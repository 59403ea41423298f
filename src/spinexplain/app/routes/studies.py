"""Reader studies: the list, the pages one by one, answers, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy import select

from spinexplain.app.access import Asking, Reader, Server, services
from spinexplain.app.pages import page_environment
from spinexplain.app.schema import LARGEST_ID, Account, StudyReader, StudyRow
from spinexplain.app.studies import (
    ClosedPageError,
    Position,
    answers_of,
    append_answer,
    join,
    position_of,
    reachable,
    reveal,
    revealed_items,
    shown_study,
    study_folder,
)
from spinexplain.study.answers import AnswerFile, latest
from spinexplain.study.record import PICTURES, Item, Study, pictures_of


@dataclass(frozen=True)
class Part:
    """A study and what who asks may do in it.

    Parameters
    ----------
    study : Study
    number : int or None
        Which of its readers; None of whoever only keeps it.
    """

    study: Study
    number: int | None


def readable_study(request: Request, study_id: str, reader: Asking) -> Part:
    """Return the study of the address, if who asks takes part in it or keeps studies.

    Raises
    ------
    HTTPException
        404 where not, or where there is none: the answer is the same.
    """
    server = services(request)
    with server.database.reading() as session:
        row = session.get(StudyRow, study_id)
        taking = session.get(StudyReader, (study_id, reader.id)) if row is not None else None
    if row is None or (taking is None and not reader.sees_all):
        raise HTTPException(404, "There is nothing here.")
    study = shown_study(server.folder, row.id)
    return Part(study, None if taking is None else taking.number)


def taking_part(part: Annotated[Part, Depends(readable_study)]) -> Part:
    """Return the study, if who asks is one of its readers.

    Raises
    ------
    HTTPException
        409 where they only keep it.
    """
    if part.number is None:
        raise HTTPException(409, "You keep this study and do not take part in it.")
    return part


def keeping(reader: Asking, part: Annotated[Part, Depends(readable_study)]) -> Part:
    """Return the study, if who asks keeps studies.

    Raises
    ------
    HTTPException
        404 where they do not.
    """
    if not reader.sees_all:
        raise HTTPException(404, "There is nothing here.")
    return part


router = APIRouter(prefix="/studies")
Readable = Annotated[Part, Depends(readable_study)]
Taking = Annotated[Part, Depends(taking_part)]
Keeping = Annotated[Part, Depends(keeping)]


@dataclass(frozen=True)
class Seat:
    """A reader of a study and how far they are."""

    name: str
    number: int
    position: Position


@router.get("/")
def listed(server: Server, reader: Asking) -> HTMLResponse:
    """List the studies that the reader takes part in or keeps."""
    with server.database.reading() as session:
        rows = list(session.scalars(select(StudyRow).order_by(StudyRow.added_at)))
        seats = list(session.scalars(select(StudyReader).order_by(StudyReader.number)))
        accounts = list(session.scalars(select(Account).order_by(Account.name)))
        own = {seat.study_id: seat.number for seat in seats if seat.account_id == reader.id}
        shown = [row for row in rows if reader.sees_all or row.id in own]
        names = {account.id: account.name for account in accounts}
        found = []
        for row in shown:
            study = shown_study(server.folder, row.id)
            taken = [
                Seat(
                    names[seat.account_id],
                    seat.number,
                    position_of(study, answers_of(session, study, seat.number, seat.account_id)),
                )
                for seat in seats
                if seat.study_id == row.id and (reader.sees_all or seat.account_id == reader.id)
            ]
            found.append((row, study, taken, own.get(row.id)))
    template = page_environment().get_template("studies.html.j2")
    return HTMLResponse(template.render(reader=reader, found=found, accounts=accounts))


@router.post("/{study_id}/readers")
def add_reader(
    server: Server, part: Keeping, account_id: Annotated[int, Form(ge=1, le=LARGEST_ID)]
) -> RedirectResponse:
    """Make an account the next reader of a study."""
    with server.database.writing() as session:
        if session.get(Account, account_id) is None:
            raise HTTPException(404, "There is no such account.")
        join(session, part.study, account_id)
    return RedirectResponse("/studies/", status_code=303)


@router.get("/{study_id}/")
def go_on(server: Server, reader: Asking, part: Taking) -> Response:
    """Go to the reader's next page, or say that nothing is left for now."""
    position = position_of(part.study, _answers(server, part, reader))
    if position.next_page is not None:
        return RedirectResponse(f"pages/{position.next_page}", status_code=303)
    template = page_environment().get_template("study_done.html.j2")
    return HTMLResponse(template.render(reader=reader, study=part.study, position=position))


@router.get("/{study_id}/pages/{page}")
def page_of(server: Server, reader: Asking, part: Taking, page: int) -> Response:
    """Show a page of the study: a finished one, or the next."""
    found = _answers(server, part, reader)
    position = position_of(part.study, found)
    if not reachable(position, page):
        return RedirectResponse(f"/studies/{part.study.id}/", status_code=303)
    item = part.study.item(position.pages[page - 1])
    said = {
        f"{piece}-{key}": answer.value
        for (name, piece, key), answer in latest([found], found.reader).items()
        if name == item.id
    }
    with server.database.reading() as session:
        revealed = item.id in revealed_items(session, part.study.id, reader.id)
    template = page_environment().get_template("study_page.html.j2")
    return HTMLResponse(
        template.render(
            reader=reader,
            study=part.study,
            item=item,
            asked=part.study.asked(item),
            said=said,
            page=page,
            position=position,
            closed=revealed or (item.stage == "unaided" and item.id in position.finished),
            gone=_gone(server, part.study, item),
            source=_address,
        )
    )


def _address(name: str) -> str:
    return f"../pictures/{name}"


def _gone(server: Server, study: Study, item: Item) -> bool:
    folder = study_folder(server.folder, study.id) / PICTURES
    return not all((folder / name).is_file() for name in pictures_of(item))


class AskedAnswer(BaseModel):
    """An answer as the page sends it."""

    item: Annotated[str, Field(max_length=16)]
    piece: Annotated[int, Field(ge=0, le=100)]
    question: Annotated[str, Field(max_length=32)]
    value: Annotated[str, Field(max_length=2100)]
    seconds: Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False)]


@router.post("/{study_id}/pages/{page}/answers")
def answer(
    server: Server, reader: Asking, part: Taking, page: int, asked: AskedAnswer
) -> JSONResponse:
    """Store an answer; it is on disk when this answers."""
    assert part.number is not None
    place = (asked.item, asked.piece, asked.question)
    try:
        with server.database.writing() as session:
            value = append_answer(
                session, part.study, part.number, reader.id, page, place, asked.value, asked.seconds
            )
    except ClosedPageError as error:
        raise HTTPException(409, str(error)) from None
    finished = asked.item in position_of(part.study, _answers(server, part, reader)).finished
    return JSONResponse({"value": value, "finished": finished}, status_code=201)


@router.post("/{study_id}/pages/{page}/reveal")
def revealed(server: Server, reader: Asking, part: Taking, page: int) -> JSONResponse:
    """Say what the software suggests of a finished page, and close the page."""
    position = position_of(part.study, _answers(server, part, reader))
    if not reachable(position, page) or position.pages[page - 1] not in position.finished:
        raise HTTPException(409, "Answer this page first.")
    item = position.pages[page - 1]
    with server.database.writing() as session:
        found = reveal(session, server.folder, part.study, item, reader.id)
    return JSONResponse(dict(found))


@router.get("/{study_id}/pictures/{name}")
def picture(server: Server, part: Readable, name: str) -> FileResponse:
    """Send a picture of the study."""
    known = {one for item in part.study.items for one in pictures_of(item)}
    path = study_folder(server.folder, part.study.id) / PICTURES / name
    if name not in known or not path.is_file():
        raise HTTPException(404, "There is nothing here.")
    return FileResponse(path, media_type="image/png")


@router.get("/{study_id}/answers/{number}")
def exported(
    server: Server, part: Keeping, number: Annotated[int, Path(ge=1, le=LARGEST_ID)]
) -> Response:
    """Send all answers of one reader, for ``study add``."""
    with server.database.reading() as session:
        query = select(StudyReader).where(
            StudyReader.study_id == part.study.id, StudyReader.number == number
        )
        seat = session.scalar(query)
        if seat is None:
            raise HTTPException(404, "There is nothing here.")
        found = answers_of(session, part.study, number, seat.account_id)
    name = f"answers-{part.study.id}-reader-{number}.json"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    text = found.model_dump_json(by_alias=True, indent=1)
    return Response(text + "\n", media_type="application/json", headers=headers)


def _answers(server: Server, part: Part, reader: Reader) -> AnswerFile:
    assert part.number is not None
    with server.database.reading() as session:
        return answers_of(session, part.study, part.number, reader.id)
