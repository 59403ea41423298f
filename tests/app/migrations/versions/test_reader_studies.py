import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from spinexplain.app.accounts import local_account
from spinexplain.app.database import utc_now
from spinexplain.app.schema import StudyAnswer, StudyRow


@pytest.mark.parametrize(
    "change", ["UPDATE study_answers SET piece = 2", "DELETE FROM study_answers"]
)
def test_answers_are_never_changed(server, change):
    with server.database.writing() as session:
        account = local_account(session)
        session.add(StudyRow(id="s1", title="t", added_at=utc_now()))
        session.flush()
        row = {"study_id": "s1", "account_id": account.id, "item": "A", "piece": 1}
        session.add(StudyAnswer(**row, question="q", value="yes", at=utc_now()))
    with pytest.raises(DatabaseError, match="never changed"), server.database.writing() as session:
        session.execute(text(change))
