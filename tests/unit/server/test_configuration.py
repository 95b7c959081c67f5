"""Settings: where each comes from, and what is refused."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from deconflict.cli.serve import serve
from deconflict.geo.errors import InputError
from deconflict.identity.key_source import LEAST_APART_S
from deconflict.server.configuration import configure, is_loopback
from deconflict.server.settings import Settings, about_settings, seconds


def test_a_flag_goes_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "deconflict.toml"
    file.write_text('port = 1\nhost = "127.0.0.3"\nlog_level = "error"\n')
    found = configure(
        {"port": 3, "data": tmp_path}, {"DECONFLICT_PORT": "2", "DECONFLICT_HOST": "127.0.0.2"}
    )
    assert (found.settings.port, found.settings.host, found.settings.log_level) == (
        3,
        "127.0.0.2",
        "error",
    )
    assert found.sources["port"] == "flag --port"
    assert found.sources["host"] == "variable DECONFLICT_HOST"
    assert found.sources["log_level"] == f"file {file}"
    assert found.sources["keep_alive_s"] == "default"


@pytest.mark.parametrize(
    ("text", "near"),
    [("prot = 1", "port"), ("public-key = []", "public_key"), ("[limits]\nrate = 1", "limits")],
)
def test_an_unknown_key_is_refused_with_the_nearest(tmp_path: Path, text: str, near: str) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(InputError, match=near) as refused:
        configure({}, {}, config=tmp_path / "own.toml")
    assert str(tmp_path / "own.toml") in str(refused.value)


def test_an_unknown_variable_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="perhaps DECONFLICT_PORT is meant"):
        configure({}, {"DECONFLICT_PROT": "1"})


def test_what_resembles_no_setting_is_refused_without_a_guess(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no variable DECONFLICT_PASSWORD; deconflict settings"):
        configure({}, {"DECONFLICT_PASSWORD": "1"})
    (tmp_path / "own.toml").write_text("[server]\nport = 8321")
    with pytest.raises(InputError, match="no setting server; deconflict settings"):
        configure({}, {}, config=tmp_path / "own.toml")


def test_variables_of_this_program_that_are_no_settings_are_left_alone(tmp_path: Path) -> None:
    configure({"data": tmp_path}, {"DECONFLICT_TRACEBACK": "1", "PATH": "/bin"})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("port", 65536, "give at most 65,535"),
        ("port", "high", "write a whole number"),
        ("port", -1, "give at least 0"),
        ("keep_alive_s", 0, "give more than 0"),
        ("most_headers", 0, "give at least 1"),
        ("jwks_refresh_s", LEAST_APART_S - 1, "give at least 30"),
        ("log_format", "x", "it is one of auto, text, json"),
        ("open_metrics", "maybe", "write true or false"),
        ("tls_key", "", "it is no name of a file"),
    ],
)
def test_a_value_beyond_its_limits_is_refused_by_name_with_what_may_be_given(
    name: str, value: object, told: str
) -> None:
    with pytest.raises(InputError, match=f"can't be used for {name}.*: {told}") as refused:
        configure({name: value}, {})
    assert "Expected" not in str(refused.value)


def test_a_text_in_a_file_is_no_number(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('port = "8321"')
    with pytest.raises(InputError, match="port"):
        configure({}, {}, config=tmp_path / "own.toml")


def test_several_values_stand_in_a_variable_with_commas(tmp_path: Path) -> None:
    found = configure({"data": tmp_path}, {"DECONFLICT_AUDIENCE": "a.example, b.example"})
    assert found.settings.audience == ("a.example", "b.example")


def test_the_network_is_refused_without_tls_unless_a_proxy_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--behind-proxy"):
        configure({"host": "0.0.0.0", "data": tmp_path}, {})  # noqa: S104 - that is what is tested
    assert configure(
        {"host": "0.0.0.0", "behind_proxy": True, "data": tmp_path},  # noqa: S104
        {},
    ).settings.behind_proxy


@pytest.mark.parametrize(
    "url",
    [
        "x",
        "",
        "dss.example.org",
        "ftp://dss.example.org",
        "https://",
        "https://dss example.org",
        "https://dss.example.org:port",
        "https://user:word@dss.example.org",
        "https://dss.example.org/?a=1",
        "https://dss.example.org/#a",
    ],
)
def test_a_public_url_that_nobody_could_follow_is_refused_at_the_start(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"public_url: .*https://dss\.example\.org"):
        configure({"public_url": url, "data": tmp_path}, {})


@pytest.mark.parametrize(
    "url", ["https://dss.example.org", "http://127.0.0.1:8321", "https://[::1]:8321/air"]
)
def test_a_public_url_names_a_host_and_may_name_a_port_and_a_path(url: str, tmp_path: Path) -> None:
    assert configure({"public_url": url, "data": tmp_path}, {}).settings.public_url == url


def test_an_empty_host_is_named_where_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'' is no loopback address"):
        configure({"host": "", "data": tmp_path}, {})


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--tls-key"):
        configure({"tls_certificate": tmp_path / "c.pem", "data": tmp_path}, {})


def test_a_file_that_was_named_must_be_there_and_that_of_the_folder_need_not(
    tmp_path: Path,
) -> None:
    assert configure({"data": tmp_path}, {}).settings == Settings(data=tmp_path)
    with pytest.raises(InputError, match=r"absent\.toml"):
        configure({"data": tmp_path}, {}, config=tmp_path / "absent.toml")


def test_the_file_in_the_data_folder_can_not_move_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "deconflict.toml").write_text('data = "/elsewhere"')
    with pytest.raises(InputError, match="--data"):
        configure({"data": tmp_path}, {})


def test_every_setting_has_a_flag_and_words() -> None:
    flags = set(inspect.signature(serve).parameters)
    assert flags == {*about_settings(), "config", "join", "override_clock", "trial"}
    assert all(about.help.endswith(".") for about in about_settings().values())


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("example.org", False),
        ("192.168.1.1", False),
    ],
)
def test_loopback_is_told_from_the_network(host, expected) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(("text", "meant"), [("2s", 2.0), ("500ms", 0.5), ("1.5s", 1.5)])
def test_a_duration_is_read_with_its_unit(text: str, meant: float) -> None:
    found = configure({"stale_reads": text}, {}, config=None).settings
    assert seconds(found.stale_reads) == meant
    assert seconds(None) == 0


@pytest.mark.parametrize("text", ["2", "2m", "-1s", "s", "1e3s", ""])
def test_a_duration_without_a_known_unit_is_refused_in_words(text: str) -> None:
    with pytest.raises(InputError, match="write a number and its unit, s or ms"):
        configure({"stale_reads": text}, {}, config=None)


def test_a_journal_is_named_by_its_kind_and_place(tmp_path: Path) -> None:
    assert configure({"data": tmp_path}, {}).journal.file == tmp_path / "journal.db"
    shared = configure({"data": tmp_path}, {"DECONFLICT_JOURNAL": "postgresql://u:hush@h/d"})
    assert shared.journal.shared
    assert shared.shown("journal") == "postgresql://u:***@h/d"
    with pytest.raises(InputError, match="write sqlite:PATH"):
        configure({"data": tmp_path, "journal": "mysql://h/d"}, {})
