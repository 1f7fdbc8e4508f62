"""The table of routes is the one of the program."""

from __future__ import annotations

import re

from streams_infra.routes import REQUEST_HEADERS, ROUTES
from synthesis import REPOSITORY

HTTP = REPOSITORY / "Sources/StreamsHTTP"


def _block(text: str, start: str) -> str:
    """The lines of a declaration."""
    lines = text[text.index(start):].splitlines()
    end = next(number for number, line in enumerate(lines) if number and line == "    }")
    return "\n".join(lines[:end])


def test_the_routes_are_those_of_the_program() -> None:
    paths: dict[str, str] = {}
    methods: dict[str, list[str]] = {}
    for file in ("Route.swift", "GroupRoute.swift"):
        source = (HTTP / file).read_text()
        paths |= re.findall(r'case \.(\w+): "([^"]+)"', _block(source, "var label: String"))
        for names, listed in re.findall(r"case ([.\w, ]+): \[([^]]+)\]", _block(source, "var methods:")):
            for name in re.findall(r"\.(\w+)", names):
                methods[name] = [method.upper() for method in re.findall(r"\.(\w+)", listed)]
    assert len(paths) >= 13 and set(paths) == set(methods), "Route.swift is not read as it is written"
    expected = {(method, paths[name]) for name in paths for method in methods[name]}
    expected |= {("HEAD", path) for method, path in expected if method == "GET"}
    assert {(route.method, route.path) for route in ROUTES} == expected


def test_no_route_is_listed_twice() -> None:
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_pages_may_send_every_header_that_the_program_allows() -> None:
    source = (HTTP / "CrossOriginPolicy.swift").read_text()
    block = source[source.index("accessControlAllowHeaders"):source.index("accessControlMaxAge")]
    allowed = [name for text in re.findall(r'"([^"]+)"', block) for name in re.findall(r"[\w-]+", text)]
    assert len(allowed) >= 5
    assert set(allowed) <= set(REQUEST_HEADERS)
