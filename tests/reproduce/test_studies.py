import pytest

from spinexplain.errors import ConfigError
from spinexplain.reproduce.studies import STUDIES, measuring, study_of


@pytest.mark.parametrize("name", [name for name, study in STUDIES.items() if study.run])
def test_what_runs_a_study_is_there(name):
    assert callable(measuring(STUDIES[name]))


def test_a_study_has_what_runs_it_or_says_where_that_stands():
    for name, study in STUDIES.items():
        assert not (study.run and study.how), name
        assert study.run or study.how or not study.results, name


def test_an_unknown_study_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="receptive-fields"):
        study_of("receptive-field")
