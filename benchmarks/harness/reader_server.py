"""A reader of its own to measure: its process, requests to it, and what the system says of it."""

import http.client
import json
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import uvicorn

from spinexplain.app.accounts import local_account
from spinexplain.app.database import Database, open_database
from spinexplain.app.folder import DataFolder, make_folder
from spinexplain.app.intake import new_scan
from spinexplain.app.protection import LOOPBACK
from spinexplain.app.schema import Scan
from spinexplain.app.server import create_app
from spinexplain.app.worker import run_worker

FORK = multiprocessing.get_context("fork")
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class ReaderServer:
    """`spinexplain serve` on a free port, in a process group of its own, with its worker."""

    def __init__(self, data: Path, url: str | None = None, *arguments: str) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "spinexplain.cli.main", "serve", str(data)]
        command += ["--port", str(self.port), *arguments, *(["--database", url] if url else [])]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def request(
        self, method: str, path: str, body: bytes | None = None, token: str = "", kind: str = ""
    ) -> tuple[int, bytes]:
        """Send a request as a page of this server does; status and body."""
        origin = f"http://127.0.0.1:{self.port}"
        headers = {"origin": origin, "cookie": f"spinexplain_session={token}"}
        if kind:
            headers["content-type"] = kind
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def post(self, path: str, content: object, token: str = "") -> tuple[int, bytes]:
        """Send JSON."""
        return self.request("POST", path, json.dumps(content).encode(), token, "application/json")

    def form(self, path: str, content: str) -> tuple[int, bytes]:
        """Send a form."""
        return self.request("POST", path, content.encode(), "", "application/x-www-form-urlencoded")

    def wait(self, seconds: float = 120) -> None:
        """Wait until it answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.request("GET", "/sign-in")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("the server did not start")

    def worker(self) -> int:
        """Return the worker's process id."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for _ in range(200):
            every = [children, *Path(f"/proc/{self.process.pid}/task").glob("*/children")]
            found = " ".join(path.read_text() for path in every).split()
            if found:
                return int(found[0])
            time.sleep(0.05)
        raise TimeoutError("there is no worker")

    def kill(self, worker_too: bool = True) -> None:
        """kill -9."""
        if worker_too:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """End server and worker as a person would."""
        self.process.terminate()
        self.process.wait(timeout=60)


class ForkedReader(ReaderServer):
    """The same server and worker, forked from this process, which has loaded the package already.

    What they do is what `serve` does; only the seconds that imports take are saved.
    """

    def __init__(self, data: Path, url: str) -> None:
        self.port = free_port()
        self.process = FORK.Process(target=_serve_here, args=(data, url, self.port))
        self.process.start()

    def kill(self, worker_too: bool = True) -> None:
        """kill -9."""
        for _ in range(100 if worker_too else 0):
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
                break
            except ProcessLookupError:  # it has not become the head of a group yet
                time.sleep(0.01)
        self.process.kill()
        self.process.join()

    def end(self) -> None:
        """End both."""
        self.kill()


def _serve_here(data: Path, url: str, port: int) -> None:
    os.setsid()
    database, folder = open_database(url), make_folder(data)
    worker = FORK.Process(target=run_worker, args=(data, url, False, os.getpid()))
    worker.start()
    app = create_app(database, folder, LOOPBACK)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical", access_log=False)


def cpu_seconds_of(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mib_of(pid: int) -> float:
    """Largest resident memory of a process so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def copy_scan(database: Database, folder: DataFolder, graded: str, name: str) -> str:
    """Add a graded scan again, as a scan of its own, and return its id."""
    with database.writing() as session:
        first = session.get_one(Scan, graded)
        scan = new_scan(session, name, None, local_account(session).id)
        for field in ("state", "worst", "headline", "disagreement"):
            setattr(scan, field, getattr(first, field))
        shutil.copytree(folder.scan(graded), folder.scan(scan.id), copy_function=os.link)
    return scan.id


class Together:
    """Functions that run in threads until they are stopped; a lost server ends one quietly."""

    def __init__(self, *functions) -> None:
        self.stopped = threading.Event()
        self.faults: list[BaseException] = []
        self.threads = [threading.Thread(target=self._run, args=(one,)) for one in functions]
        for thread in self.threads:
            thread.start()

    def _run(self, function) -> None:
        try:
            while not self.stopped.is_set():
                function()
        except (OSError, http.client.HTTPException):
            pass  # the server is gone: what it had not acknowledged nobody counts on
        except BaseException as error:
            self.faults.append(error)

    def stop(self) -> None:
        """Wait for all of them."""
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        if self.faults:
            raise self.faults[0]
