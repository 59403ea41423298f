import pytest

from spinexplain.node.metrics import Metrics


def test_what_is_counted():
    metrics = Metrics()
    metrics.graded()
    metrics.failed("MailboxError")
    metrics.observe({"queued": 4, "done": 2}, 1000)
    value = metrics.registry.get_sample_value
    assert value("spinexplain_graded_total") == 1
    assert value("spinexplain_failed_attempts_total", {"why": "MailboxError"}) == 1
    assert value("spinexplain_series", {"state": "queued"}) == 4
    assert value("spinexplain_free_bytes") == 1000


def test_only_stages_that_end_well_are_timed():
    metrics = Metrics()
    with metrics.stage("read"):
        pass
    with pytest.raises(RuntimeError), metrics.stage("read"):
        raise RuntimeError
    value = metrics.registry.get_sample_value
    assert value("spinexplain_stage_seconds_count", {"stage": "read"}) == 1
