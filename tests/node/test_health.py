import pytest
import requests

from spinexplain.node.health import HealthServer
from spinexplain.node.metrics import Metrics


@pytest.fixture
def server():
    metrics = Metrics()
    metrics.refused("age")
    state = {"ok": True, "series": {"queued": 1}}
    made = HealthServer("127.0.0.1", 0, lambda: state, metrics.registry)
    yield f"http://127.0.0.1:{made.port}", state
    made.close()


def test_health_and_metrics(server):
    url, state = server
    answer = requests.get(f"{url}/health", timeout=5)
    assert (answer.status_code, answer.json()) == (200, state)
    assert (
        'spinexplain_refused_total{reason="age"} 1.0'
        in requests.get(f"{url}/metrics", timeout=5).text
    )


def test_an_ill_node_answers_503(server):
    url, state = server
    state["ok"] = False
    assert requests.get(f"{url}/health", timeout=5).status_code == 503


def test_nothing_else_is_served(server):
    url, _ = server
    assert requests.get(f"{url}/etc/passwd", timeout=5).status_code == 404
    assert requests.post(f"{url}/health", timeout=5).status_code == 405
