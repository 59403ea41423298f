"""``/health`` and ``/metrics`` over HTTP, for those who watch the node."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, generate_latest

Status = Callable[[], dict[str, Any]]


class HealthServer:
    """A small HTTP server in a thread.

    Parameters
    ----------
    host, port
        Port 0 takes a free one.
    status : callable
        Returns what ``/health`` shows; ``"ok"`` in it decides between 200 and 503.
    registry : CollectorRegistry
        What ``/metrics`` shows.
    """

    def __init__(self, host: str, port: int, status: Status, registry: CollectorRegistry) -> None:
        self._server = make_server(
            host, port, _application(status, registry), WSGIServer, _SilentHandler
        )
        self.port = self._server.server_port
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop to answer."""
        self._server.shutdown()
        self._server.server_close()


class _SilentHandler(WSGIRequestHandler):
    timeout = 10  # nobody holds a connection open

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the node has a log of its own."""


def _application(status: Status, registry: CollectorRegistry) -> Callable[..., Iterable[bytes]]:
    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET":
            start("405 Method Not Allowed", [("Allow", "GET")])
            return []
        if environ["PATH_INFO"] == "/metrics":
            status()  # brings the gauges up to date
            start("200 OK", [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")])
            return [generate_latest(registry)]
        if environ["PATH_INFO"] == "/health":
            found = status()
            start(
                "200 OK" if found["ok"] else "503 Service Unavailable",
                [("Content-Type", "application/json")],
            )
            return [json.dumps(found).encode()]
        start("404 Not Found", [])
        return []

    return answer
