"""MiniStack, S3 and DynamoDB only, in this process and on one port."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import tempfile
from typing import Callable


def serve(keys: tuple[str, str], checks_access: bool, ready: Callable[[int], None]) -> None:
    """Serves until the process ends; calls `ready` with the port once connections are taken.

    With `checks_access` signatures and IAM policies are checked, and `keys` are those of the account's root.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    port = listener.getsockname()[1]
    folder = tempfile.gettempdir()
    os.environ.update(
        # Read by MiniStack when it is imported. Its other listeners, Docker and files stay off.
        GATEWAY_PORT=str(port), BIND_HOST="127.0.0.1", AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        SERVICES="s3,dynamodb,iam,sts", AUTH="true" if checks_access else "false", LOG_LEVEL="WARNING",
        IOT_MTLS_ENABLED="0", SFTP_ENABLED="0", DOCKER_HOST=f"unix://{folder}/there-is-no-docker.sock",
        AWS_ACCESS_KEY_ID=keys[0], AWS_SECRET_ACCESS_KEY=keys[1])
    os.environ.pop("AWS_SESSION_TOKEN", None)

    from hypercorn.asyncio import serve as serve_by_hypercorn
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 600
    config.keep_alive_max_requests = 10**9
    config.loglevel = "WARNING"
    config.errorlog = logging.getLogger("hypercorn.error")
    config.accesslog = None
    # The socket takes connections already; they wait for the server to come up.
    ready(port)
    asyncio.run(serve_by_hypercorn(app, config))
