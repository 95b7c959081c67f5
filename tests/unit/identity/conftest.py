from __future__ import annotations

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey


@pytest.fixture(scope="session")
def rsa():
    return RSAKey.generate_key(2048)


@pytest.fixture(scope="session")
def ec():
    return ECKey.generate_key("P-256")


@pytest.fixture(scope="session")
def ed():
    return OKPKey.generate_key("Ed25519")
