from spinexplain.data.cohort import Cohort
from spinexplain.train.curation.sets import curation_sets
from spinexplain.train.grading.run_folder import open_run


def test_the_parts_are_those_of_the_training(finished_run):
    """The prototypes come from training subjects, and none of those is measured on."""
    opened = open_run(finished_run[0])
    sets = curation_sets(opened.config, Cohort.open(finished_run[1]), opened.split)
    assert sets.fingerprint == opened.fingerprint
    sources = {exemplar.provenance.subject for exemplar in opened.grader.exemplars}
    assert sources <= set(sets.training.subjects)
    assert not set(sets.validation_subjects) & set(sets.training.subjects)
