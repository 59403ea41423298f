from hypothesis import given
from hypothesis import strategies as st

from spinexplain.texts.printable import printable


def test_letters_of_all_languages_stay():
    assert printable("Wirbel säule 脊椎\t\r\n") == "Wirbel säule 脊椎???"


@given(st.text(alphabet=st.characters()))
def test_as_long_as_before_and_without_controls(name):
    assert len(printable(name)) == len(name)
    assert printable(name).isprintable()
