"""The reference says what the code says: settings, codes, and the names that authors use."""

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import thywill_server.application
from tests.support.reference_tables import REFERENCE, page_with_tables
from thywill_server.application import App, ClientConfiguration, Connection
from thywill_server.application.state import SharedState
from thywill_server.client import NO_DATA, Client
from thywill_server.push.orbited_stomp import ticket_key

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("page", sorted(REFERENCE.glob("*.md")), ids=lambda page: page.name)
def test_tables_are_made_from_the_code(page: Path) -> None:
    """Mend a difference with ``python -m tests.support.reference_tables``."""
    text = page.read_text(encoding="utf-8")
    assert text == page_with_tables(text)


@pytest.mark.parametrize("name", ["settings.md", "codes.md", "commands.md"])
def test_pages_have_tables(name: str) -> None:
    """The pages still have the places that tables are put in."""
    assert ", made from the code -->" in (REFERENCE / name).read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of every row of Markdown's tables, heads left out."""
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| ")
    ]
    return [cells for cells in found if not set("".join(cells)) <= {"-"}]


def test_codes_of_the_page() -> None:
    """The codes that the page's script says itself are those of its own table."""
    module = (ROOT / "static" / "thywill" / "errors.js").read_text(encoding="utf-8")
    told = re.findall(r"^ \* \| (`[\w-]+`) *\|", module, re.MULTILINE)
    page = (REFERENCE / "codes.md").read_text(encoding="utf-8")
    section = page.split("## The page itself says")[1].split("\n## ")[0]
    assert sorted(cells[0] for cells in rows(section)[1:]) == sorted(told)
    assert len(told) > 5


def test_environment_variables() -> None:
    """Every variable that the site reads is in the settings reference, and no other one is."""
    read = set(
        re.findall(r'environ\.get\("(\w+)"', (ROOT / "settings.py").read_text(encoding="utf-8"))
    )
    for module in (ROOT / "thywill_server").rglob("*.py"):
        read |= set(re.findall(r'os\.environ\.get\(\s*"(\w+)"', module.read_text(encoding="utf-8")))
    read |= {ticket_key.ENVIRONMENT_VARIABLE, ticket_key.HOME_VARIABLE}
    usage = (ROOT / "run").read_text(encoding="utf-8").partition("Environment:")[2]
    read |= set(re.findall(r"^  ([A-Z]+)  ", usage.partition("END")[0], re.MULTILINE))
    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    section = page.split("## In the environment")[1].split("\n## ")[0]
    assert {cells[0].strip("`") for cells in rows(section)[1:]} == read


def members(cls: type, prefix: str, left_out: set[str]) -> Iterator[tuple[str, Any]]:
    """What a class offers, as ``prefix.name(arguments)``; properties without the parentheses."""
    for name, member in vars(cls).items():
        if name.startswith("_") or name in left_out:
            continue
        if inspect.isfunction(member):
            yield f"{prefix}.{signature(member, name)}", member
        elif isinstance(member, property):
            yield f"{prefix}.{name}", member.fget


def signature(function: Callable[..., Any], name: str) -> str:
    """A function's name and arguments without annotations; ``...`` for what may be left out."""
    arguments = inspect.signature(function)
    plain = [
        parameter.replace(
            annotation=parameter.empty,
            default=... if parameter.default is NO_DATA else parameter.default,
        )
        for parameter in arguments.parameters.values()
        if parameter.name != "self"
    ]
    text = str(arguments.replace(parameters=plain, return_annotation=arguments.empty))
    return f"{name}{text.replace('Ellipsis', '...')}"


def application_names() -> dict[str, Any]:
    """Everything that authors may use, as the reference writes it."""
    names: dict[str, Any] = {}
    for name in thywill_server.application.__all__:
        member = getattr(thywill_server.application, name)
        if member not in (Client, ClientConfiguration, Connection):
            names[signature(member, name)] = member
    # What the site itself calls, or sets, is no author's.
    names |= members(App, "app", {"serve_as"})
    names |= members(SharedState, "app.state", set())
    names |= members(Client, "client", set())
    names |= members(ClientConfiguration, "configuration", set())
    names |= members(Connection, "connection", set())
    return names


def application_sections() -> dict[str, str]:
    """The sections of the page, by the code in their headings."""
    page = (REFERENCE / "application.md").read_text(encoding="utf-8")
    parts = re.split(r"^### `(.+)`$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_name_of_the_application_api() -> None:
    """Each is a heading with its signature; `app.state` has one of its own."""
    assert set(application_sections()) == {*application_names(), "app.state"}


def test_errors_of_the_application_api() -> None:
    """What a docstring says under Raises, its section says as well, for functions to send with."""
    sections = application_sections()
    for name, member in application_names().items():
        _, _, raises = (inspect.getdoc(member) or "").partition("Raises:\n")
        for names in re.findall(r"^    (\w+(?:, \w+)*):", raises, re.MULTILINE):
            for error in names.split(", "):
                inherited = re.search(r"^As `(\w+)`", sections[name].strip())
                where = sections[name]
                if inherited:
                    where += "".join(
                        text for other, text in sections.items() if other.startswith(inherited[1])
                    )
                assert error in where, f"{name}: {error}"


def test_attributes_of_a_client() -> None:
    """The table of a client's attributes has each, but for what the site puts in."""
    page = (REFERENCE / "application.md").read_text(encoding="utf-8")
    section = page.split("\n## Client\n")[1].split("\n## ")[0]
    told = {cells[0].strip("`") for cells in rows(section)[1:]}
    parameters = set(inspect.signature(Client).parameters)
    assert told == parameters - {"sender", "state_source", "ender"}
