"""What a person reads when the service starts."""

from __future__ import annotations

import pytest

from deconflict.server.banner import Facts, announce


class Lines:
    """Takes what is written."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, content: bytes) -> None:
        self.text += content.decode()


def said(address: str = "http://localhost:8321", parties: int = 1) -> dict[str, str]:
    lines = Lines()
    facts = Facts(
        address=address,
        data="dss",
        journal="",
        public_key="00" * 32,
        origin="sigsum.org/v1/tree/x",
        sources=("the built-in authority (1 key)",),
        audiences=("localhost",),
        parties=parties,
        entries=1,
        live={"operations": 1, "zones": 0, "subscriptions": 1_200, "parties": 2},
        behind_proxy=False,
    )
    announce(facts, lines, json=False, colour=False)  # type: ignore[arg-type]
    assert all(line == line.rstrip() for line in lines.text.splitlines())
    return {words[:12].strip(): words[12:].strip() for words in lines.text.splitlines()}


@pytest.mark.parametrize(("parties", "with_secret"), [(0, "0 parties"), (1, "1 party")])
def test_each_count_says_what_it_counts_and_no_line_ends_in_blanks(
    parties: int, with_secret: str
) -> None:
    table = said(parties=parties)
    assert table["journal"] == "1 entry"
    assert table["register"] == "1 operation, 0 zones, 1,200 subscriptions of 2 parties"
    assert table["authority"] == f"{with_secret} with a secret for tokens"


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])  # noqa: S104 - told, not bound
def test_what_stands_for_all_addresses_is_not_shown_as_one(host: str) -> None:
    table = said(f"https://{host}:9843")
    assert table["address"] == "all addresses, port 9843 (https)"
    assert host not in " ".join(table.values())
    assert said()["address"] == "http://localhost:8321"
