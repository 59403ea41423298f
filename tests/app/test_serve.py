import pytest

from spinexplain.app.serve import ServeRequest, create_account, hosts_of, prepare, worker_process
from spinexplain.errors import ConfigError


def test_others_may_not_come_in_while_nobody_has_an_account(tmp_path):
    request = ServeRequest(tmp_path / "data", host="0.0.0.0")
    with pytest.raises(ConfigError, match="no account"):
        prepare(request)
    create_account(request, "Ada", "long enough", "admin")
    prepare(request)


def test_only_given_names_are_answered_to(tmp_path):
    assert "evil.example" not in hosts_of(ServeRequest(tmp_path))
    open_to_all = ServeRequest(tmp_path, host="0.0.0.0", names=("Reader.Local",))
    assert "reader.local" in hosts_of(open_to_all)
    assert "0.0.0.0" not in hosts_of(open_to_all)
    assert "10.0.0.5" in hosts_of(ServeRequest(tmp_path, host="10.0.0.5"))


def test_the_worker_is_started_again_and_ends_with_the_server(tmp_path, monkeypatch):
    import os
    import signal
    import subprocess
    import time

    from spinexplain.app import serve

    started = []
    real = subprocess.Popen

    def sleeper(command):
        assert command[1:3] == ["-m", "spinexplain.app.worker"]
        started.append(real(["sleep", "60"]))
        return started[-1]

    monkeypatch.setattr(serve.subprocess, "Popen", sleeper)
    monkeypatch.setattr(serve, "_RESTART_S", 0.01)
    with worker_process(ServeRequest(tmp_path)):
        while not started:
            time.sleep(0.01)
        os.kill(started[0].pid, signal.SIGKILL)
        while len(started) < 2:
            time.sleep(0.01)
    assert started[-1].wait(timeout=10) == -signal.SIGTERM
