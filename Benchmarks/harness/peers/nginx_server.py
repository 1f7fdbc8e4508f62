"""nginx: what HTTP alone costs. It answers 200 to a POST, and serves a file."""

import getpass
import os
import shutil
import socket
import subprocess
from pathlib import Path

from .. import wire
from ..generator import Load
from ..processes import Child, Children, free_port, wait_until
from . import Unavailable

LABEL = "nginx"

_CONFIGURATION = """
{user}
daemon off;
worker_processes auto;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    default_type application/json;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root .;
        location /topics/ {{ return 200 '{{"topic":"bench","offset":1234567}}'; }}
        location /pages/ {{ }}
    }}
}}
"""


class NginxServer:
    def __init__(self, children: Children, parent: Path) -> None:
        found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
        if not found:
            raise Unavailable("nginx is not installed")
        self._program = found
        self._children = children
        self._directory = parent / "nginx"
        self._child: Child | None = None
        self.port = 0
        version = subprocess.run([found, "-v"], capture_output=True, text=True)
        self.name = "nginx " + version.stderr.partition("nginx/")[2].strip().partition(" ")[0]

    @property
    def pid(self) -> int:
        return self._child.pid

    def start(self) -> None:
        (self._directory / "pages").mkdir(parents=True)
        self.port = free_port()
        user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
        configuration = _CONFIGURATION.format(user=user, port=self.port)
        (self._directory / "nginx.conf").write_text(configuration)
        command = [self._program, "-p", str(self._directory), "-c", "nginx.conf", "-e", "stderr"]
        self._child = self._children.start("nginx", command, self._directory)
        wait_until(self._listens, self._child)

    def stop(self) -> None:
        self._children.stop(self._child)
        shutil.rmtree(self._directory, ignore_errors=True)

    def put_page(self, body: bytes) -> None:
        """Makes `body` the file that `read_page` fetches."""
        (self._directory / "pages" / "page.json").write_bytes(body)

    def produce_one(self) -> Load:
        request = wire.http_post("/topics/bench/produce", '{"payload":' + wire.payload() + "}")
        return Load("http", self.port, request, expect='"offset":')

    def read_page(self, messages: int) -> Load:
        return Load("http", self.port, wire.http_get("/pages/page.json"), messages=messages)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except OSError:
            return False
        return True
