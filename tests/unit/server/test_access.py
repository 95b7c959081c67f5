"""Who may ask, and whether anybody can: what readiness says of the keys of authorities."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deconflict.identity.authority import KEY_PATH
from deconflict.identity.parties import Parties
from deconflict.server.access import Access, access, key_sources
from deconflict.server.health import Health, State
from deconflict.server.limits import Limits
from deconflict.server.metrics import Metrics
from deconflict.server.pages import Surroundings, pages
from deconflict.server.settings import Settings

SILENT = "http://127.0.0.1:9/jwks.json"
"""Nobody is asked here: a source fetches only while it runs."""


def pem(folder: Path) -> Path:
    path = folder / "authority.pem"
    public = Ed25519PrivateKey.generate().public_key()
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def gate(data: Path, **settings) -> Access:
    given = Settings(**settings)
    return access(given, key_sources(given), data)


@pytest.fixture
def with_authority(tmp_path: Path, authority_key: bytes) -> Path:
    key = tmp_path / KEY_PATH
    key.parent.mkdir(parents=True, mode=0o700)
    key.touch(0o600)
    key.write_bytes(authority_key)
    return tmp_path


def ready(gate: Access, asker: str = "127.0.0.1") -> tuple[int, dict[str, object]]:
    settings = Settings()
    app = pages(
        Surroundings(
            settings=settings,
            limits=Limits(settings),
            metrics=Metrics(),
            verifier=gate.verifier,
            health=lambda: Health(State.WORKING, "", 1, 0, 0.0),
            stopping=lambda: False,
            admits=gate.admits,
            faults=gate.faults,
            description={},
            docs=b"",
            docs_policy="",
            base_url="",
        )
    )

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(asker, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/readyz")

    reply = asyncio.run(ask())
    return reply.status_code, reply.json()


def test_without_a_key_of_any_authority_nobody_gets_in_and_it_is_not_ready(tmp_path: Path) -> None:
    status, said = ready(gate(tmp_path, jwks=(SILENT,)))
    assert status == 503
    assert said["reasons"] == ["no key of any authority is there, so no token can be verified"]
    (fault,) = said["faults"]
    assert SILENT in fault


def test_with_the_keys_of_one_it_is_ready_and_tells_what_is_wrong_with_the_other(
    tmp_path: Path,
) -> None:
    one = gate(tmp_path, jwks=(SILENT,), public_key=(pem(tmp_path),))
    status, said = ready(one)
    assert (status, said["reasons"]) == (200, [])
    (fault,) = said["faults"]
    assert SILENT in fault
    _, said = ready(one, asker="192.0.2.7")
    (fault,) = said["faults"]
    assert SILENT not in fault
    assert "not fetched" in fault


def test_a_built_in_authority_without_a_party_lets_nobody_in_beside_another(
    with_authority: Path,
) -> None:
    beside = gate(with_authority, jwks=(SILENT,))
    assert ready(beside)[0] == 503
    Parties(with_authority).add("Relief", ["utm.strategic_coordination"])
    assert ready(beside)[0] == 200
    (with_authority / "parties.json").write_text("nothing")
    assert ready(beside)[0] == 503


def test_a_built_in_authority_alone_is_ready_for_its_first_party(with_authority: Path) -> None:
    assert ready(gate(with_authority)) == (200, {"ready": True, "reasons": [], "faults": []})
