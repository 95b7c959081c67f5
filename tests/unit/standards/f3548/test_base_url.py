"""A base URL is an absolute https URL that everyone may be shown."""

import pytest

from deconflict.geo.errors import InputError
from deconflict.standards.f3548.base_url import LONGEST, checked_base_url

A = "/dss/v1/operational_intent_references/00000000-0000-4000-8000-00000000000a"


@pytest.mark.parametrize(
    "url",
    [
        "https://uss.example.com/utm",
        "https://uss.example.com",
        "https://uss.example.com/",
        "https://uss.example.com:8443/a/b",
        "HTTPS://uss.example.com",
        "https://192.0.2.1/x",
        "https://[2001:db8::1]:80/x",
        "https://münchen.example/é",
        "https://u.example/" + "x" * (LONGEST - 18),
    ],
)
def test_an_https_url_is_taken_as_it_is(url):
    assert checked_base_url(url, "uss_base_url", plain_http=False) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "uss.example.com",
        "//uss.example.com",
        "https://",
        "https:///path",
        "https:uss.example.com",
        "ftp://uss.example.com",
        "javascript:alert(1)",
        "file:///etc/passwd",
        " https://uss.example.com",
        "https://uss.example.com/a b",
        "https://uss.example.com/\x00",
        "https://uss.example.com/\r\nX: y",
        "https://uss.example.com/\u2028",
        "https://uss.example.com\\@evil.example",
        "https://user@uss.example.com",
        "https://user:secret@uss.example.com",
        "https://uss.example.com:99999",
        "https://uss.example.com:port",
        "https://[::1",
        "https://uss.example.com/#x",
        "https://u.example/" + "x" * (LONGEST - 17),
    ],
)
@pytest.mark.parametrize("plain_http", [False, True])
def test_what_is_no_base_url_is_refused(url, plain_http):
    with pytest.raises(InputError) as refused:
        checked_base_url(url, "uss_base_url", plain_http=plain_http)
    assert refused.value.field == "uss_base_url"
    assert "secret" not in str(refused.value)


def test_http_is_taken_only_where_the_policy_says_so():
    url = "http://uss.example.com"
    with pytest.raises(InputError, match="is not https"):
        checked_base_url(url, "uss_base_url", plain_http=False)
    assert checked_base_url(url, "uss_base_url", plain_http=True) == url


def test_every_base_url_of_a_request_is_checked(uss1, say):
    assert uss1("PUT", A, say.intent(uss_base_url="http://x.example")).status == 400
    new = {"uss_base_url": "http://x.example"}
    assert uss1("PUT", A, say.intent(new_subscription=new)).status == 400
    constraint = A.replace("operational_intent", "constraint")
    assert uss1("PUT", constraint, say.constraint(uss_base_url="")).status == 400
    path = "/dss/v1/subscriptions/00000000-0000-4000-8000-0000000000ff"
    assert uss1("PUT", path, say.subscription(uss_base_url="x")).status == 400
