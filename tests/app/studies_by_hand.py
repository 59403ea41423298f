"""Studies written by hand for the server's tests: real pictures, no model."""

from PIL import Image

from spinexplain.study.asking import read_questions
from spinexplain.study.orders import Planned, reader_plan
from spinexplain.study.record import Item, ItemKey, Key, Piece, Slice, Study, View, write_study

IDS = ("BBBBBB", "CCCCCC", "DDDDDD", "FFFFFF", "GGGGGG", "HHHHHH")


def write_by_hand(folder, design="evidence", kind="evidence", pages=4, washout_days=0, slices=1):
    """Write a study of a few pages with two pieces each, and return it."""
    (folder / "pictures").mkdir(parents=True)
    for number in range(slices):
        Image.new("L", (64, 64), 90 + 10 * number).save(folder / "pictures" / f"p{number}.png")
    Image.new("RGBA", (64, 64), (255, 120, 0, 90)).save(folder / "pictures" / "wash.png")
    square = "M20 20L40 20L40 40L20 40Z"
    planes = tuple(
        Slice(picture=f"p{n}.png", wash="wash.png", contours=(square,), target=square)
        for n in range(slices)
    )
    view = View(slices=planes, width=64, height=64, mm=1.0)
    units = kind == "units"
    pieces = (Piece(test=None if units else view, exemplar=view),) * 2
    half = pages // 2
    stages = ["aided"] * pages if design == "evidence" else ["unaided"] * half + ["aided"] * half
    items = tuple(
        Item(
            id=IDS[n],
            stage=stage,
            image=None if units else view,
            pieces=() if stage == "unaided" else pieces,
        )
        for n, stage in enumerate(stages)
    )
    order = [Planned(item.id, f"c{n % half}", item.stage) for n, item in enumerate(items)]
    if design == "evidence":
        order = [Planned(item.id, item.id) for item in items]
    questions = "units" if units else "evidence" if design == "evidence" else "reading"
    study = Study(
        title="By hand <b>",
        kind=kind,
        design=design,
        washout_days=washout_days,
        synthetic=True,
        questions=read_questions(questions),
        items=items,
        readers=tuple(reader_plan(order, design, number, 0) for number in (1, 2)),
    )
    keys = {one.id: ItemKey(case=one.case) for one in order}
    key = Key(study="", seed=0, arms={}, cases={}, items=keys)
    reveal = {item.id: {"suggested by anatomy": "superior endplate"} for item in items}
    return write_study(folder, study, key, reveal)


def reply_to(question):
    """Return an answer that a question takes."""
    return {
        "yes_no": "yes",
        "choice": question.options[0] if question.options else "",
        "scale": "3",
    }.get(question.kind, "fine")


def answer_page(client, study, reader, page):
    """Answer every question of a reader's page; return the last response."""
    item = [name for session in study.plan(reader).sessions for name in session][page - 1]
    for piece, question in study.asked(study.item(item)):
        body = {"item": item, "piece": piece, "question": question.key, "seconds": 2.5}
        body["value"] = reply_to(question)
        last = client.post(f"/studies/{study.id}/pages/{page}/answers", json=body)
        assert last.status_code == 201, last.text
    return last
