"""A wheel, and a fresh project into which it was installed as the README says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.processes import in_ci
from tests.support.sites import ROOT

BLOCK = re.compile(r"^```(?:python|html)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"^(?:#|<!--) (\S+?\.(?:py|html))\b")


def foreign_environment() -> dict[str, str]:
    """Nothing of ours: this run's own settings must not reach somebody else's project."""
    ours = ("DJANGO_", "PYTHON", "COV_", "COVERAGE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def run(*command, cwd, check=True):
    """The finished process; its output is in the message when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=foreign_environment(),
        capture_output=True,
        text=True,
    )
    if check and done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}")
    return done


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT, cwd=folder)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def readme_files() -> dict[str, str]:
    """The code blocks of “Into an existing project” by the file each names."""
    text = (ROOT / "README.md").read_text()
    section = text.split("## Into an existing project", 1)[1].split("\n## ", 1)[0]
    blocks = {}
    for code in BLOCK.findall(section):
        named = FILE_NAME.match(code)
        assert named, f"A block does not begin with a comment that names its file:\n{code}"
        blocks[named.group(1)] = code
    return blocks


class Project:
    """A Django project of somebody else, with its own environment."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder = folder
        self.python = python

    def manage(self, *arguments, check=True):
        return run(self.python, "manage.py", *arguments, cwd=self.folder, check=check)

    def append(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text((file.read_text() if file.exists() else "") + "\n" + text)


@pytest.fixture(scope="session")
def project(
    wheel: Path, readme_files: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """`startproject`, then the README's blocks: settings are added to, the others replaced."""
    folder = tmp_path_factory.mktemp("host")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    installed = run(python, "-m", "pip", "install", "--quiet", wheel, cwd=folder, check=in_ci())
    if installed.returncode:
        pytest.skip("pip could not install the dependencies here")
    run(python, "-m", "django", "startproject", "mysite", folder, cwd=folder)
    host = Project(folder, python)
    for name, code in readme_files.items():
        if not name.endswith("settings.py"):
            (folder / name).unlink(missing_ok=True)
        host.append(name, code)
    host.manage("migrate", "--verbosity", "0")
    return host
