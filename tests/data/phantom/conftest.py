import pytest

from spinexplain.data.phantom.scan import PhantomScan, make_subject


@pytest.fixture(scope="session")
def demo_scan() -> PhantomScan:
    """The demo preset's first subject with its healthy twin: T9 and L2 moderate, T12 severe."""
    return make_subject("demo", seed=3, subject_index=0, twin=True)
