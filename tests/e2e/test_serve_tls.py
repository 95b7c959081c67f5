"""`deconflict serve` with TLS, and what is refused where it is needed or can't be had."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from deconflict.cli.status import ExitStatus

Key = ec.EllipticCurvePrivateKey


def certificate_of(key: Key, path: Path) -> Path:
    """Write a certificate of 127.0.0.1 that its own key signed."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
    )
    path.write_bytes(made.public_bytes(Encoding.PEM))
    return path


def written(key: Key, path: Path, encryption: KeySerializationEncryption | None = None) -> Path:
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    )
    return path


@pytest.fixture
def key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def certificate(key: Key, tmp_path: Path) -> Path:
    return certificate_of(key, tmp_path / "certificate.pem")


def test_it_answers_over_tls_and_plain_http_on_its_port_gets_nothing(
    make_service, key: Key, certificate: Path, tmp_path: Path
) -> None:
    service = make_service(
        "--tls-certificate", str(certificate), "--tls-key", str(written(key, tmp_path / "key.pem"))
    ).start()
    assert service.base_url.startswith("https://")
    trusting = ssl.create_default_context(cafile=str(certificate))
    with service.client("uss1", verify=trusting) as client:
        assert client.get("/aux/v1/validate_oauth").status_code == 200
        address = client.base_url.host, client.base_url.port
        with socket.create_connection(address, timeout=60) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            assert b"HTTP" not in everything(plain)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(address, timeout=60) as plain, pytest.raises(ssl.SSLError):
            old.wrap_socket(plain)
        assert client.get("/aux/v1/validate_oauth").status_code == 200
    assert service.stop() == ExitStatus.CLEAR
    assert not [line for line in service.lines() if "Traceback" in line]


def everything(connection: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    parts = []
    try:
        while part := connection.recv(4096):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def test_a_certificate_and_a_key_that_can_not_be_used_are_refused_in_a_line(
    make_service, key: Key, certificate: Path, tmp_path: Path
) -> None:
    other = written(ec.generate_private_key(ec.SECP256R1()), tmp_path / "other.pem")
    locked = written(key, tmp_path / "locked.pem", BestAvailableEncryption(b"a password"))
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    good = written(key, tmp_path / "key.pem")
    for *pair, why in (
        (certificate, other, "the key is another certificate's"),
        (certificate, locked, "has a password"),
        (nothing, good, f"{nothing} holds no certificate"),
        (certificate, nothing, f"{nothing} holds no private key"),
        (certificate, tmp_path / "absent.pem", "No such file"),
    ):
        given = ("--tls-certificate", str(pair[0]), "--tls-key", str(pair[1]))
        status, lines = make_service().refused_start(*given)
        assert status == ExitStatus.BAD_INPUT, pair
        (line,) = lines
        assert str(pair[0]) in line
        assert str(pair[1]) in line
        assert why in line


@pytest.mark.parametrize(
    "arguments",
    [("--host", "0.0.0.0"), ("--host", "::"), ("--tls-key", "key.pem")],  # noqa: S104
)
def test_another_address_than_loopback_needs_tls_and_tls_needs_both_its_files(
    make_service, arguments: tuple[str, str]
) -> None:
    status, lines = make_service().refused_start(*arguments)
    assert status == ExitStatus.BAD_INPUT
    assert len(lines) == 1
    assert "--tls-certificate" in lines[0]


def test_behind_a_proxy_it_may_listen_on_every_address(make_service) -> None:
    service = make_service().start("--host", "0.0.0.0", "--behind-proxy")  # noqa: S104
    port = service.base_url.rpartition(":")[2]
    assert httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
