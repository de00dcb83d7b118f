"""The wheel holds the three apps and all they need, and works in somebody else's project."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import PurePosixPath

import pytest

from tests.packaging.conftest import foreign_environment
from tests.support.processes import Process, accepts, free_port, wait_until
from tests.support.sites import ROOT

pytestmark = pytest.mark.slow

APPS = {"bots", "chatwidget", "inbox"}
SETTINGS_OF_A_REAL_SITE = """
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
TEMPLATES[0]["DIRS"] = [BASE_DIR / "mysite" / "templates"]
"""


def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return [PurePosixPath(name) for name in archive.namelist()]


def test_the_wheel_holds_the_three_apps_and_nothing_else(wheel):
    tops = {name.parts[0] for name in names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == APPS


def test_everything_that_the_apps_need_at_run_time_is_in_the_wheel(wheel):
    packed = {str(name) for name in names(wheel)}
    needed = [
        str(path.relative_to(ROOT))
        for app in APPS
        for path in (ROOT / app).rglob("*")
        if path.is_file() and path.suffix not in {".pyc", ".po"}
    ]
    assert [name for name in needed if name not in packed] == []


def test_the_built_front_end_and_the_german_texts_are_there(wheel):
    packed = {str(name) for name in names(wheel)}
    assert {name for name in packed if name.startswith("chatwidget/static/") and ".js" in name}
    assert {name for name in packed if name.startswith("inbox/static/") and ".js" in name}
    assert "inbox/locale/de/LC_MESSAGES/django.mo" in packed


def test_the_readme_names_one_file_for_each_block(readme_files):
    assert sorted(readme_files) == [
        "mysite/asgi.py",
        "mysite/settings.py",
        "mysite/templates/base.html",
        "mysite/urls.py",
    ]


def test_a_host_project_made_from_the_readme_passes_its_checks(project):
    assert "no issues" in project.manage("check").stdout
    assert "No changes" in project.manage("makemigrations", "--check", "--dry-run").stdout


def test_the_tag_shows_the_widget_of_the_site_itself(project):
    code = (
        "from django.template import Template, Context; "
        "print(Template('{% load chatwidget %}{% chatwidget %}').render(Context()))"
    )
    shown = project.manage("shell", "--no-imports", "-c", code).stdout
    assert 'data-widget="default"' in shown
    assert "<script" in shown


def test_the_rest_interface_describes_itself_without_a_setting_of_the_hosts(project):
    code = (
        "from django.test import Client; "
        "print(Client().get('/api/schema/', headers={'host': 'localhost'}).status_code)"
    )
    assert project.manage("shell", "--no-imports", "-c", code).stdout.strip() == "200"


@pytest.mark.parametrize("name", ["inbox", "bots", "chatwidget"])
def test_a_package_of_the_hosts_own_that_hides_ours_is_named_with_the_remedy(project, name):
    project.append(f"{name}/__init__.py", "")
    try:
        done = project.manage("check", check=False)
    finally:
        shutil.rmtree(project.folder / name)
    assert done.returncode == 1
    assert f"package '{name}' that Python imports is not Frontdesk's" in done.stderr
    assert f"Rename your own package '{name}'" in done.stderr


def test_the_doctor_says_what_is_wrong_and_then_that_all_is_well(project):
    before = project.manage("frontdesk", "doctor", check=False)
    assert before.returncode == 1
    assert "Set DEBUG = False" in before.stdout
    project.append("mysite/settings.py", SETTINGS_OF_A_REAL_SITE)
    after = project.manage("frontdesk", "doctor", check=False)
    assert after.returncode == 0, after.stdout + after.stderr


def test_the_host_project_serves_the_launcher(project, tmp_path):
    port = free_port()
    command = [str(project.python), "manage.py", "frontdesk", "serve", "--port", str(port)]
    environment = foreign_environment()
    server = Process(command, log=tmp_path / "server.log", cwd=project.folder, env=environment)
    try:
        wait_until(lambda: accepts(port), what="the server")
    finally:
        assert server.stop() == 0, server.output()
