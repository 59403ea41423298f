"""Options of the whole suite."""

from hypothesis import settings

settings.register_profile("ci", deadline=None)
settings.register_profile("fuzz", max_examples=1000, deadline=None)


def pytest_addoption(parser):
    parser.addoption(
        "--fuzz", action="store_true", help="Feed ten times as many broken inputs to every reader."
    )


def pytest_configure(config):
    settings.load_profile("fuzz" if config.getoption("--fuzz") else "ci")
