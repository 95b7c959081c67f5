"""Every operation of the standard is served, with its scopes and its answers."""

import inspect
import re
from pathlib import Path

import pytest
from msgspec.structs import fields

from deconflict.register.decision import Reason
from deconflict.standards.f3548.errors import DELETE_STATUS, PUT_STATUS, error
from deconflict.standards.f3548.replies import AirspaceConflict
from deconflict.standards.f3548.routes import FAMILY

# Operations, paths and alternative scopes (without "utm."), after the API description of ASTM
# F3548-21 that the standard publishes (utm.yaml, version 1.0.0).
STANDARD = """
queryOperationalIntentReferences POST /dss/v1/operational_intent_references/query
    strategic_coordination conformance_monitoring_sa
getOperationalIntentReference GET /dss/v1/operational_intent_references/{entityid}
    strategic_coordination conformance_monitoring_sa
createOperationalIntentReference PUT /dss/v1/operational_intent_references/{entityid}
    strategic_coordination strategic_coordination+constraint_processing conformance_monitoring_sa
updateOperationalIntentReference PUT /dss/v1/operational_intent_references/{entityid}/{ovn}
    strategic_coordination strategic_coordination+constraint_processing conformance_monitoring_sa
deleteOperationalIntentReference DELETE /dss/v1/operational_intent_references/{entityid}/{ovn}
    strategic_coordination conformance_monitoring_sa
queryConstraintReferences POST /dss/v1/constraint_references/query
    constraint_management constraint_processing
getConstraintReference GET /dss/v1/constraint_references/{entityid}
    constraint_management constraint_processing
createConstraintReference PUT /dss/v1/constraint_references/{entityid}
    constraint_management
updateConstraintReference PUT /dss/v1/constraint_references/{entityid}/{ovn}
    constraint_management
deleteConstraintReference DELETE /dss/v1/constraint_references/{entityid}/{ovn}
    constraint_management
querySubscriptions POST /dss/v1/subscriptions/query
    constraint_processing strategic_coordination
getSubscription GET /dss/v1/subscriptions/{subscriptionid}
    constraint_processing strategic_coordination
createSubscription PUT /dss/v1/subscriptions/{subscriptionid}
    constraint_processing strategic_coordination
updateSubscription PUT /dss/v1/subscriptions/{subscriptionid}/{version}
    constraint_processing strategic_coordination
deleteSubscription DELETE /dss/v1/subscriptions/{subscriptionid}/{version}
    constraint_processing strategic_coordination
makeDssReport POST /dss/v1/reports
    constraint_management constraint_processing strategic_coordination conformance_monitoring_sa availability_arbitration
setUssAvailability PUT /dss/v1/uss_availability/{uss_id}
    availability_arbitration
getUssAvailability GET /dss/v1/uss_availability/{uss_id}
    availability_arbitration strategic_coordination conformance_monitoring_sa
"""  # noqa: E501 - a table


def rows():
    lines = STANDARD.strip().splitlines()
    for head, tail in zip(lines[::2], lines[1::2], strict=True):
        operation, method, path = head.split()
        alternatives = {
            frozenset(f"utm.{scope}" for scope in alternative.split("+"))
            for alternative in tail.split()
        }
        yield operation, method, path, alternatives


ROWS = list(rows())
BY_OPERATION = {endpoint.operation: endpoint for endpoint in FAMILY.endpoints}


@pytest.mark.parametrize(("operation", "method", "path", "scopes"), ROWS)
def test_every_operation_of_the_standard_is_served_with_its_scopes(operation, method, path, scopes):
    endpoint = BY_OPERATION[operation]
    assert (endpoint.method, endpoint.path) == (method, path)
    assert set(endpoint.scopes) == scopes
    assert not endpoint.public


def test_nothing_else_is_served_than_the_standard_and_what_clients_ask_beside_it():
    beside = {"getVersion", "validateOauth", "healthy"}
    assert set(BY_OPERATION) == {row[0] for row in ROWS} | beside
    assert len(BY_OPERATION) == len(FAMILY.endpoints)


def test_only_version_and_health_ask_for_no_token():
    public = {endpoint.path for endpoint in FAMILY.endpoints if endpoint.public}
    assert public == {"/aux/v1/version", "/healthy"}


def test_a_query_is_found_before_an_entity_named_query():
    paths = [endpoint.path for endpoint in FAMILY.endpoints]
    for path in paths:
        if path.endswith("/query"):
            stem = path.removesuffix("/query")
            later = [i for i, other in enumerate(paths) if other.startswith(stem + "/{")]
            assert paths.index(path) < min(later)


def test_the_error_body_is_the_standards():
    reply = error(400, "it is wrong; correct it")
    assert (reply.status, reply.body) == (400, b'{"message":"it is wrong; correct it"}')
    assert reply.media_type == "application/json"
    assert FAMILY.error is error


def test_every_reason_has_a_status_that_the_standard_has_for_such_a_request():
    # 403 and 409 stand in for what the standard leaves out: an availability's version.
    put = {400, 403, 409, 412}
    assert set(PUT_STATUS) == set(DELETE_STATUS) == set(Reason)
    assert set(PUT_STATUS.values()) == put
    assert set(DELETE_STATUS.values()) == put | {404}


def test_a_body_may_be_as_large_as_the_existing_service_takes():
    assert FAMILY.most_body_bytes == 4_000_000


@pytest.mark.parametrize("endpoint", FAMILY.endpoints, ids=lambda e: e.operation)
def test_handlers_are_asynchronous(endpoint):
    assert inspect.iscoroutinefunction(endpoint.handle)


def documented():
    """Return method, path and scopes of each row of the page, "the same" filled in."""
    page = Path(__file__).parents[4] / "docs" / "reference" / "f3548.md"
    scopes = frozenset()
    for line in page.read_text(encoding="utf-8").splitlines():
        row = re.fullmatch(r"\| `([A-Z]+) (/\S+)` \| (.*?) \| (.*?) \|", line)
        if row:
            method, path, words, _ = row.groups()
            if words != "the same":
                named = re.findall(r"`(\w+)`", words)
                scopes = words if not named else frozenset(f"utm.{name}" for name in named)
            yield method, path, scopes


def test_the_page_names_every_endpoint_with_its_scopes():
    rows = list(documented())
    assert [(method, path) for method, path, _ in rows] == [
        (endpoint.method, endpoint.path) for endpoint in FAMILY.endpoints
    ]
    for (_, _, scopes), endpoint in zip(rows, FAMILY.endpoints, strict=True):
        if endpoint.public:
            assert scopes == "none"
        elif not endpoint.scopes:
            assert scopes == "any valid token"
        elif len(endpoint.scopes) == 5:
            assert scopes == "any of the five"
        else:
            # A further scope may stand beside one that suffices.
            assert scopes == frozenset().union(*filter(lambda s: len(s) == 1, endpoint.scopes))


def test_the_documents_have_the_body_of_every_answer_that_the_page_lists():
    page = Path(__file__).parents[4] / "docs" / "reference" / "f3548.md"
    listed = {
        (method, path): {int(status) for status in statuses.split(", ")}
        for method, path, statuses in re.findall(
            r"\| `([A-Z]+) (/\S+)` \| .*? \| ([\d, ]+) \|", page.read_text(encoding="utf-8")
        )
    }
    everywhere = {404, 413}  # in the error form, as all refusals that are not listed
    for endpoint in FAMILY.endpoints:
        given = set(endpoint.gives) or {200}
        assert given == listed[endpoint.method, endpoint.path] - everywhere
        assert (endpoint.takes is not None) == (endpoint.method in {"PUT", "POST"}), (
            endpoint.operation
        )


def test_a_refusal_over_other_things_than_the_key_has_no_lists():
    required = {field.name for field in fields(AirspaceConflict) if field.required}
    assert required == {"message"}
