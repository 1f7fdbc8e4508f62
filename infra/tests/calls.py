"""Which operations of AWS the program calls, read from its source."""

from __future__ import annotations

import re

from synthesis import REPOSITORY

AWS = REPOSITORY / "Sources/StreamsAWS"
CLIENTS = ("S3", "DynamoDB")
# Where calls may stand: the store, and what the function is made of.
CALLERS = ("StreamsAWS", "StreamsLambda", "bootstrap")


def client_methods() -> dict[str, str]:
    """The operation behind each method of the clients: `getItem` is `GetItem`."""
    methods: dict[str, str] = {}
    for client in CLIENTS:
        for path in sorted((AWS / client).glob("*Client*.swift")):
            # A method's body reaches to the next method.
            for body in re.split(r"\n    package func ", path.read_text())[1:]:
                operation = re.search(r'(?:call|answer|write)\(\s*"([A-Z]\w+)"', body)
                if operation:
                    methods[re.match(r"\w+", body)[0]] = operation[1]  # type: ignore[index]
    return methods


def called_operations() -> set[str]:
    """The operations behind the methods that are called outside of the clients themselves."""
    methods = client_methods()
    assert len(methods) >= 6, f"The clients' methods are not read as they are written: {methods}"
    called = set()
    for target in CALLERS:
        for path in sorted((REPOSITORY / "Sources" / target).rglob("*.swift")):
            if path.parent.name in CLIENTS:
                continue
            called |= set(re.findall(r"\.(\w+)\(", path.read_text())) & set(methods)
    return {methods[name] for name in called}
