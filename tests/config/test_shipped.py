from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.models.bundle.folder import shipped_models
from spinexplain.models.bundle.store import load_grader


def test_the_default_comes_with_the_package_and_has_prototypes():
    assert DEFAULT_MODEL in shipped_models()
    assert load_grader(DEFAULT_MODEL).info.classes[0] == "G0"
