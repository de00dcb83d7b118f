"""The documentation speaks of things that exist."""

from __future__ import annotations

import re

import pytest
from django.template import engines

from config import settings as project_settings
from inbox.commands import subcommands
from tests.support.sites import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))
ENVIRONMENT = (ROOT / "docs/reference/environment.md").read_text()
COMMANDS = (ROOT / "docs/reference/commands.md").read_text()


def sources(folder, suffix):
    return "\n".join(path.read_text() for path in sorted((ROOT / folder).rglob(f"*{suffix}")))


def test_every_test_that_the_promises_name_exists():
    promises = (ROOT / "docs/explanation/promises.md").read_text()
    defined = set(re.findall(r"def (test_\w+)", sources("tests", ".py")))
    named = set(re.findall(r"`(test_\w+)`", promises))
    assert len(named) > 15
    assert named - defined == set()


def test_every_variable_of_the_environment_is_described_and_none_too_many():
    code = sources("config", ".py")
    read = set(re.findall(r'env_\w+\(\s*"([A-Z_]+)"', code))
    described = {
        name
        for row in re.findall(r"^\| (`.+?) \|", ENVIRONMENT, re.MULTILINE)
        for name in re.findall(r"`([A-Z_]+)`", row)
    }
    assert described == read


@pytest.mark.parametrize("name", sorted(subcommands()))
def test_every_subcommand_is_described(name):
    assert re.search(rf"^`{name}\b", COMMANDS, re.MULTILINE)


def test_every_template_in_the_readme_compiles():
    readme = (ROOT / "README.md").read_text()
    for code in re.findall(r"```html\n(.*?)```", readme, re.DOTALL):
        engines["django"].from_string(code)


def test_the_documentation_speaks_of_nobodys_machine():
    for page in [*PAGES, *ROOT.glob("*.md")]:
        assert "/work/" not in page.read_text(), page
        assert "/root/" not in page.read_text(), page


def test_the_reference_project_names_no_model_and_no_key():
    assert project_settings.env_str("BOTS_MODEL") == project_settings.BOTS_MODEL
    assert not re.search(r"sk-[A-Za-z0-9]{8}|gpt-\d", sources("config", ".py"))
