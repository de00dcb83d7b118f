"""Importing a folder of Markdown files as articles."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from bots.actions.article_import import import_folder
from bots.actions.articles import save_article
from bots.knowledge import files
from bots.models import Article, Passage

pytestmark = pytest.mark.django_db


def article(**values) -> Article:
    defaults = {"key": "returns", "language": "en", "title": "Returns", "body": "Return a lamp."}
    return save_article(**(defaults | values))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "help"
    for name, text in {
        "en/returns.md": "---\ntitle: Returns\nurl: /help/returns/\n---\n\nReturn a lamp.\n",
        "de/returns.md": "# Rückgabe\n\nEine Lampe zurückgeben.\n",
        "en/lamps/care_tips.md": "Wipe it.\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def test_a_folder_becomes_articles(folder: Path) -> None:
    report = import_folder(folder)
    assert report.created == ["de/returns.md", "en/lamps/care_tips.md", "en/returns.md"]
    assert list(Article.objects.values_list("language", "key", "title", "url", "source_path")) == [
        ("de", "returns", "Rückgabe", "", "help/de/returns.md"),
        ("en", "lamps-care_tips", "Care tips", "", "help/en/lamps/care_tips.md"),
        ("en", "returns", "Returns", "/help/returns/", "help/en/returns.md"),
    ]


def test_importing_again_changes_nothing(folder: Path) -> None:
    import_folder(folder)
    before = list(Passage.objects.values_list("pk"))
    report = import_folder(folder)
    assert len(report.unchanged) == 3
    assert not (report.created or report.updated or report.removed or report.refused)
    assert list(Passage.objects.values_list("pk")) == before


def test_a_changed_file_changes_its_article_only(folder: Path) -> None:
    import_folder(folder)
    (folder / "en/returns.md").write_text("# Returns\n\nNever.\n")
    report = import_folder(folder)
    assert report.updated == ["en/returns.md"]
    assert len(report.unchanged) == 2
    assert Article.objects.get(key="returns", language="en").body == "# Returns\n\nNever.\n"


def test_an_article_edited_by_hand_stays_until_its_file_changes(folder: Path) -> None:
    import_folder(folder)
    edited = Article.objects.get(key="returns", language="en")
    article(article=edited, body="By hand.")
    assert import_folder(folder).updated == []
    assert Article.objects.get(pk=edited.pk).body == "By hand."
    (folder / "en/returns.md").write_text("From the file.")
    assert import_folder(folder).updated == ["en/returns.md"]


def test_an_article_written_by_hand_is_not_overwritten(folder: Path) -> None:
    article(body="By hand.")
    report = import_folder(folder)
    assert [name for name, _ in report.refused] == ["en/returns.md"]
    assert "by hand" in report.refused[0][1]
    assert Article.objects.get(key="returns", language="en").body == "By hand."


def test_pruning_removes_articles_whose_file_is_gone_and_no_others(folder: Path) -> None:
    article(key="by-hand")
    import_folder(folder)
    (folder / "de/returns.md").unlink()
    (folder / "en/returns.md").write_bytes(b"\xff")
    assert import_folder(folder).removed == []
    report = import_folder(folder, prune=True)
    assert report.removed == ["de/returns.md"]
    assert sorted(Article.objects.values_list("key", flat=True)) == [
        "by-hand",
        "lamps-care_tips",
        "returns",
    ]


def test_pruning_with_an_empty_folder_removes_nothing(folder: Path, tmp_path: Path) -> None:
    import_folder(folder)
    empty = tmp_path / "empty" / "help"
    empty.mkdir(parents=True)
    assert import_folder(empty, prune=True).removed == []
    assert Article.objects.count() == 3


def test_a_renamed_key_keeps_the_article(folder: Path) -> None:
    import_folder(folder)
    before = Article.objects.get(key="returns", language="en").pk
    (folder / "en/returns.md").write_text("---\nkey: sending-back\n---\nReturn a lamp.\n")
    assert import_folder(folder).updated == ["en/returns.md"]
    assert Article.objects.get(pk=before).key == "sending-back"


def test_bad_files_are_told_and_do_not_stop_the_others(folder: Path) -> None:
    bad = {
        "en/latin.md": b"Gr\xf6\xdfe",
        "en/empty.md": b"---\ntitle: Empty\n---\n\n",
        "en/open.md": b"---\ntitle: Open\n",
        "en/odd.md": b"---\nwhat is this\n---\ntext",
        "en/nul.md": b"a\x00b",
        "en/url.md": b"---\nurl: javascript:alert(1)\n---\ntext",
        "en/twin.md": b"---\nkey: returns\n---\ntext",
        "en/large.md": b"a" * (files.MAX_FILE_BYTES + 1),
        "en/!!!.md": b"No key can be made of its name.",
        "nowhere.md": b"No language.",
    }
    for name, text in bad.items():
        (folder / name).write_bytes(text)
    report = import_folder(folder)
    assert len(report.created) == 3
    reasons = dict(report.refused)
    assert reasons.keys() == bad.keys()
    assert reasons["en/latin.md"] == "not UTF-8 text (byte 2)"
    assert reasons["en/odd.md"] == "line 2 of the front matter is not “name: value”"
    assert reasons["en/nul.md"].startswith("body: ")
    assert reasons["en/twin.md"] == "has the same key and language as en/returns.md"
    assert "--language" in reasons["nowhere.md"]


def test_a_file_that_cannot_be_read_is_told(folder: Path, monkeypatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    report = import_folder(folder)
    assert {reason for _, reason in report.refused} == {"cannot be read: Permission denied"}


def test_front_matter_says_the_rest(folder: Path) -> None:
    (folder / "en/returns.md").write_bytes(
        b'\xef\xbb\xbf---\r\n# a comment\r\ntitle: "Returns: all of it"\r\nlanguage: pt_BR\r\n'
        b"published: no\r\nwidgets: [demo, wholesale]\r\ntags:\r\n  - a\r\n---\r\nText.\r\n"
    )
    assert import_folder(folder).refused == []
    made = Article.objects.get(language="pt-br")
    assert (made.title, made.published, made.body) == ("Returns: all of it", False, "Text.\n")
    assert made.widget_keys == ["demo", "wholesale"]


def test_hidden_files_and_other_files_are_left_alone(folder: Path) -> None:
    for name in ("en/.draft.md", "_drafts/a.md", ".git/b.md", "en/notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("text")
    assert len(import_folder(folder).created) == 3


def test_the_command_reports_and_fails_when_a_file_was_refused(folder: Path, capsys) -> None:
    call_command("frontdesk_import_articles", str(folder))
    assert "3 created, 0 updated, 0 unchanged, 0 removed, 0 refused." in capsys.readouterr().out
    (folder / "nowhere.md").write_text("text")
    with pytest.raises(CommandError, match="1 of the files"):
        call_command("frontdesk_import_articles", str(folder))
    assert "refused nowhere.md: no language" in capsys.readouterr().err
    call_command("frontdesk_import_articles", str(folder), "--language", "fr", "--prune")
    assert "created nowhere.md" in capsys.readouterr().out
    call_command("frontdesk_import_articles", "--rebuild")
    assert "Rebuilt the passages of 4 articles." in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["/nowhere/at/all"]])
def test_the_command_wants_a_folder(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("frontdesk_import_articles", *arguments)


def test_the_demos_articles_can_be_imported_and_pair_up(settings) -> None:
    report = import_folder(Path(settings.BASE_DIR) / "config" / "demo" / "knowledge")
    assert report.refused == []
    english, german = (
        set(Article.objects.filter(language=code).values_list("key", flat=True))
        for code in ("en", "de")
    )
    assert english == german
    assert len(english) >= 14
