from __future__ import annotations

from pathlib import Path

import pytest

from deconflict.journal.engine import EngineError
from deconflict.journal.location import in_folder, location, redacted

SECRET = "hush/hush:h"  # noqa: S105 - a made-up one


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"postgresql://duty:{SECRET}@one,two:5433/dss", "postgresql://duty:***@one,two:5433/dss"),
        (f"postgres://h/d?user=a&password={SECRET}&x=1", "postgres://h/d?user=a&password=***&x=1"),
        (f"nats://duty:{SECRET}@one:4222,two:4222/dss", "nats://***@one:4222,two:4222/dss"),
        (f"tls://{SECRET}@one/dss", "tls://***@one/dss"),
        ("postgresql://one:5432/dss", "postgresql://one:5432/dss"),
        ("nats://one,two/dss?replicas=3", "nats://one,two/dss?replicas=3"),
    ],
)
def test_an_engine_is_shown_without_its_password(text: str, shown: str):
    found = location(text)
    assert found.shared
    assert found.text == text
    assert str(found) == redacted(text) == shown
    assert SECRET not in repr(found)


def test_a_file_is_named_by_itself_or_by_its_folder(tmp_path: Path):
    assert location(f"sqlite:{tmp_path}").file == tmp_path / "journal.db"
    assert location(f"sqlite:{tmp_path}/other.db").file == tmp_path / "other.db"
    assert location(f"sqlite:{tmp_path}/new/").file == tmp_path / "new" / "journal.db"
    assert location(in_folder(tmp_path).text) == in_folder(tmp_path)
    assert not in_folder(tmp_path).shared


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sqlite:",
        "journal.db",
        "postgresql:",
        "postgresql://",
        "mysql://a/b",
        f"x://a:{SECRET}@b",
    ],
)
def test_what_names_no_journal_is_refused_with_how_one_is_written(text: str):
    with pytest.raises(EngineError, match=r"write sqlite:PATH") as caught:
        location(text)
    assert SECRET not in str(caught.value)
