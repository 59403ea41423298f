import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from spinexplain.app.events import append_act


@pytest.mark.parametrize("change", ["UPDATE events SET kind = 'word'", "DELETE FROM events"])
def test_events_are_never_changed(server, ready, change):
    with server.database.writing() as session:
        append_act(session, ready, 1, "viewed", None, {}, 0, {})
    with pytest.raises(DatabaseError, match="never changed"), server.database.writing() as session:
        session.execute(text(change))
