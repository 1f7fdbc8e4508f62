"""The README says what is so: its tables are computed, and its commands exist."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields

import boto3
import pytest
from botocore import xform_name

from streams_infra import costs
from streams_infra.settings import Settings, context_name
from synthesis import INFRA, REPOSITORY, Synthesis

README = INFRA / "README.md"
# The part of the aws command line that is not made of the services' descriptions.
_CUSTOM_AWS = {("s3", "rb"): {"--force"}, ("logs", "tail"): {"--since"}}
_GLOBAL_AWS = {"--query", "--output", "--cli-binary-format"}


def settings_table() -> str:
    """The settings in Markdown."""
    rows = ["| Setting | Default | Allowed | Means |", "|---|---|---|---|"]
    for each in fields(Settings):
        default = each.default
        shown = "" if default is None else ",".join(default) if isinstance(default, tuple) else str(default)
        shown = shown.lower() if isinstance(default, bool) else shown
        allowed = each.metadata["kind"].allowed.replace("|", "\\|")
        rows.append(
            f"| `{context_name(each.name)}` | {f'`{shown}`' if shown else ''} | {allowed} | "
            f"{each.metadata['meaning']} |")
    return "\n".join(rows)


@pytest.mark.parametrize(("name", "table"), [("settings", settings_table), ("costs", costs.table)])
def test_the_tables_are_those_that_the_program_makes(name: str, table, request: pytest.FixtureRequest) -> None:
    text = README.read_text()
    start, end = f"<!-- {name} -->\n", "<!-- end -->"
    before, _, rest = text.partition(start)
    written, _, after = rest.partition(end)
    expected = f"{table()}\n"
    if request.config.getoption("--rewrite"):
        README.write_text(before + start + expected + end + after)
        return
    assert written == expected, "The table is out of date: infra/rewrite writes it anew."


def test_prices_are_dated_as_in_the_program() -> None:
    from streams_infra import prices

    assert f"list prices of {prices.REGION} at {prices.AS_OF}" in README.read_text()


def _commands() -> list[list[str]]:
    """The commands of all blocks for the shell, in words; those inside of $(…) too."""
    commands = []
    for block in re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            for inner in re.findall(r"\$\(((?:[^()]|\([^()]*\))*)\)", line):
                # A nested one is found by itself below.
                commands.append(shlex.split(re.sub(r'"\$\([^()]*\)"', "X", inner)))
                commands += [shlex.split(nested) for nested in re.findall(r"\$\(([^()]*)\)", inner)]
            if not re.match(r"[A-Z]+=", line):
                commands.append(shlex.split(re.sub(r"\$\([^()]*\)", "X", line)))
    assert len(commands) > 25
    return commands


def _of(program: str) -> list[list[str]]:
    found = [command for command in _commands() if command[0] == program]
    assert found, program
    return found


def test_no_command_is_of_a_kind_that_is_not_checked() -> None:
    known = {"make", "python3", ".", "pip", "npx", "jq", "curl", "aws", "streams", "git", ".venv/bin/python",
             "./rewrite", "./upgrade"}
    assert {command[0] for command in _commands()} <= known


def test_make_has_the_targets() -> None:
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for command in _of("make"):
        assert command[1:3] == ["-C", ".."] and set(command[3:]) <= targets, command


def test_the_cdk_knows_its_commands_options_stacks_and_settings(default: Synthesis) -> None:
    stacks = {default.data_name, default.api_name}
    names = {context_name(each.name) for each in fields(Settings)}
    helps: dict[str, str] = {}
    for command in _of("npx"):
        assert command[1] == "cdk"
        verb, *rest = command[2:]
        if verb not in helps:
            helps[verb] = _help(verb)
        while rest:
            word = rest.pop(0)
            if word == "-c":
                name, value = rest.pop(0).split("=")
                assert name in names
                Settings.from_context({name: value})
            elif word.startswith("--"):
                assert re.search(rf"{word}\b", helps[verb]), (verb, word)
                if word == "--outputs-file":
                    rest.pop(0)
            else:
                assert word in stacks, word


def _help(verb: str) -> str:
    import subprocess

    from cdk_cli import CDK
    from synthesis import NODE_FOLDER

    text = subprocess.run(
        [str(NODE_FOLDER / "node"), str(CDK), verb, "--help", "--no-notices"], capture_output=True, text=True,
        check=True, cwd=INFRA).stdout
    assert f"cdk {verb}" in text.splitlines()[0], text
    return text


def test_aws_knows_its_commands_and_options() -> None:
    for command in _of("aws"):
        service, operation, *rest = command[1:]
        options = {word for word in rest if word.startswith("--")} - _GLOBAL_AWS
        if (service, operation) in _CUSTOM_AWS:
            assert options <= _CUSTOM_AWS[service, operation], command
            continue
        model = boto3.client(service, region_name="us-east-1").meta.service_model
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        assert operation in operations, command
        shape = model.operation_model(operations[operation]).input_shape
        members = {"--" + xform_name(name, "-") for name in (shape.members if shape else {})}
        for option in options:
            assert option in members or option.replace("--no-", "--") in members, (command, option)


def test_the_outputs_that_are_named_exist(
    default: Synthesis, with_key: Synthesis, everything: Synthesis,
) -> None:
    outputs = {default.api_name: {}, default.data_name: dict(default.data["Outputs"])}
    for synthesis in (default, with_key, everything):
        outputs[default.api_name] |= synthesis.api["Outputs"]
    paths = [command[2].split(".")[1:] for command in _of("jq")]
    assert len(paths) >= 3
    for stack, name in paths:
        assert name in outputs[stack]
    named = set(re.findall(r"`((?:[A-Z][a-z]+)+)`", README.read_text().split("## Who may call")[0]))
    assert {"ApiUrl", "TableArn", "AlarmTopicArn"} <= named
    known = outputs[default.api_name].keys() | outputs[default.data_name].keys() | {default.data_name, default.api_name}
    assert named <= known, named - known


def test_the_other_programs_know_what_they_are_told() -> None:
    folder = REPOSITORY / "Sources/streams/Commands"
    sources = "".join(path.read_text() for path in folder.glob("*.swift"))
    for command in _of("streams"):
        assert f'commandName: "{command[1]}"' in sources
        assert "var url: String?" in sources and "--url" in command
    for command in _of("pip"):
        assert (INFRA / command[-1]).exists()
    for program in ("rewrite", "upgrade"):
        assert (INFRA / program).stat().st_mode & 0o111
