"""How the address of PostgreSQL servers is read."""

from __future__ import annotations

import pytest

from deconflict.journal.engine import EngineError
from deconflict.journal.postgres.address import Address


@pytest.mark.parametrize(
    ("conninfo", "where"),
    [
        ("postgresql://user@one/journal", "one:5432"),
        ("postgresql://user@one:5433,two/journal", "one:5433, two:5432"),
        ("postgresql://user@one,two:5433/journal", "one:5432, two:5433"),
        ("host=one,two port=5433 dbname=journal", "one:5433, two:5433"),
        ("hostaddr=10.0.0.1,10.0.0.2 dbname=journal", "10.0.0.1:5432, 10.0.0.2:5432"),
        ("postgresql://%2Frun%2Fpostgresql/journal", "/run/postgresql:5432"),
        ("postgresql://user@[::1]:5433/journal", "::1:5433"),
    ],
)
def test_each_host_has_its_port(conninfo: str, where: str, monkeypatch):
    for name in ("PGHOST", "PGPORT"):
        monkeypatch.delenv(name, raising=False)
    assert Address(conninfo).where == where


def test_a_server_that_broke_a_promise_is_tried_last():
    address = Address("postgresql://user@one,two,three/journal")
    address.distrust("one:5432")
    assert address.where == "two:5432, three:5432, one:5432"
    address.distrust("two:5432")
    assert address.where == "three:5432, one:5432, two:5432"


def test_hosts_and_ports_that_do_not_pair_are_refused():
    with pytest.raises(EngineError, match="number of hosts"):
        Address("host=one,two,three port=1,2 dbname=journal")
