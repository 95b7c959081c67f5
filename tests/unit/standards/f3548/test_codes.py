"""Each operation answers with each code that the standard lists for it.

401, 429 and the 403 of a token that lacks the endpoint's scope are given before a handler is
asked. 413 is given to subscription queries alone: clients rely on 400 elsewhere.
"""

import pytest

INTENT = "/dss/v1/operational_intent_references"
CONSTRAINT = "/dss/v1/constraint_references"
SUBSCRIPTION = "/dss/v1/subscriptions"
USS = "/dss/v1/uss_availability/uss1"
ONE = "00000000-0000-4000-8000-00000000000a"
TWO = "00000000-0000-4000-8000-00000000000b"


class World:
    """One operational intent, one constraint and one subscription, all of uss1."""

    def __init__(self, uss1, uss2, say):
        self.one, self.two, self.say = uss1, uss2, say
        made = uss1("PUT", f"{INTENT}/{ONE}", say.intent())
        self.intent = f"{INTENT}/{ONE}/{made.json['operational_intent_reference']['ovn']}"
        made = uss1("PUT", f"{CONSTRAINT}/{TWO}", say.constraint(x=9))
        self.constraint = f"{CONSTRAINT}/{TWO}/{made.json['constraint_reference']['ovn']}"
        made = uss1("PUT", f"{SUBSCRIPTION}/{ONE}", say.subscription(x=20))
        self.subscription = f"{SUBSCRIPTION}/{ONE}/{made.json['subscription']['version']}"
        self.large = {"outline_polygon": say.ring(size=1.0)}

    def down(self):
        self.one("PUT", USS, {"availability": "Down", "old_version": ""})
        return self

    def report(self):
        exchange = {
            "url": "https://uss.example.com",
            "method": "GET",
            "recorder_role": "Client",
            "request_time": self.say.time(0),
        }
        return {"exchange": exchange}


@pytest.fixture
def world(uss1, uss2, say):
    return World(uss1, uss2, say)


NEW = "00000000-0000-4000-8000-00000000000c"
WRONG = "0" * 32

SCENARIOS = {
    "queryOperationalIntentReferences": {
        200: lambda w: w.one("POST", f"{INTENT}/query", w.say.area()),
        400: lambda w: w.one("POST", f"{INTENT}/query", {}),
    },
    "getOperationalIntentReference": {
        200: lambda w: w.one("GET", f"{INTENT}/{ONE}"),
        400: lambda w: w.one("GET", f"{INTENT}/x"),
        404: lambda w: w.one("GET", f"{INTENT}/{NEW}"),
    },
    "createOperationalIntentReference": {
        201: lambda w: w.one("PUT", f"{INTENT}/{NEW}", w.say.intent(x=5)),
        400: lambda w: w.one("PUT", f"{INTENT}/{NEW}", {}),
        409: lambda w: w.two("PUT", f"{INTENT}/{NEW}", w.say.intent()),
        412: lambda w: w.down().one("PUT", f"{INTENT}/{NEW}", w.say.intent(x=5)),
    },
    "updateOperationalIntentReference": {
        200: lambda w: w.one("PUT", w.intent, w.say.intent()),
        400: lambda w: w.one("PUT", f"{INTENT}/{NEW}/{WRONG}", w.say.intent()),
        403: lambda w: w.two("PUT", w.intent, w.say.intent()),
        409: lambda w: w.one("PUT", f"{INTENT}/{ONE}/{WRONG}", w.say.intent()),
        412: lambda w: w.down().one("PUT", w.intent, w.say.intent()),
    },
    "deleteOperationalIntentReference": {
        200: lambda w: w.one("DELETE", w.intent),
        400: lambda w: w.one("DELETE", f"{INTENT}/x/{WRONG}"),
        403: lambda w: w.two("DELETE", w.intent),
        404: lambda w: w.one("DELETE", f"{INTENT}/{NEW}/{WRONG}"),
        409: lambda w: w.one("DELETE", f"{INTENT}/{ONE}/{WRONG}"),
        412: lambda w: w.down().one("DELETE", w.intent),
    },
    "queryConstraintReferences": {
        200: lambda w: w.one("POST", f"{CONSTRAINT}/query", w.say.area()),
        400: lambda w: w.one("POST", f"{CONSTRAINT}/query", w.say.area(**w.large)),
    },
    "getConstraintReference": {
        200: lambda w: w.one("GET", f"{CONSTRAINT}/{TWO}"),
        400: lambda w: w.one("GET", f"{CONSTRAINT}/x"),
        404: lambda w: w.one("GET", f"{CONSTRAINT}/{NEW}"),
    },
    "createConstraintReference": {
        201: lambda w: w.one("PUT", f"{CONSTRAINT}/{NEW}", w.say.constraint()),
        400: lambda w: w.one("PUT", f"{CONSTRAINT}/{NEW}", {}),
        409: lambda w: w.one("PUT", f"{CONSTRAINT}/{TWO}", w.say.constraint()),
    },
    "updateConstraintReference": {
        200: lambda w: w.one("PUT", w.constraint, w.say.constraint()),
        400: lambda w: w.one("PUT", w.constraint, {}),
        403: lambda w: w.two("PUT", w.constraint, w.say.constraint()),
        409: lambda w: w.one("PUT", f"{CONSTRAINT}/{TWO}/{WRONG}", w.say.constraint()),
    },
    "deleteConstraintReference": {
        200: lambda w: w.one("DELETE", w.constraint),
        400: lambda w: w.one("DELETE", f"{CONSTRAINT}/x/{WRONG}"),
        403: lambda w: w.two("DELETE", w.constraint),
        404: lambda w: w.one("DELETE", f"{CONSTRAINT}/{NEW}/{WRONG}"),
        409: lambda w: w.one("DELETE", f"{CONSTRAINT}/{TWO}/{WRONG}"),
    },
    "querySubscriptions": {
        200: lambda w: w.one("POST", f"{SUBSCRIPTION}/query", w.say.area()),
        400: lambda w: w.one("POST", f"{SUBSCRIPTION}/query", {}),
        413: lambda w: w.one("POST", f"{SUBSCRIPTION}/query", w.say.area(**w.large)),
    },
    "getSubscription": {
        200: lambda w: w.one("GET", f"{SUBSCRIPTION}/{ONE}"),
        400: lambda w: w.one("GET", f"{SUBSCRIPTION}/x"),
        403: lambda w: w.two("GET", f"{SUBSCRIPTION}/{ONE}"),
        404: lambda w: w.one("GET", f"{SUBSCRIPTION}/{NEW}"),
    },
    "createSubscription": {
        200: lambda w: w.one("PUT", f"{SUBSCRIPTION}/{NEW}", w.say.subscription()),
        400: lambda w: w.one("PUT", f"{SUBSCRIPTION}/{NEW}", {}),
        409: lambda w: w.one("PUT", f"{SUBSCRIPTION}/{ONE}", w.say.subscription()),
    },
    "updateSubscription": {
        200: lambda w: w.one("PUT", w.subscription, w.say.subscription()),
        400: lambda w: w.one("PUT", w.subscription, {}),
        403: lambda w: w.two("PUT", w.subscription, w.say.subscription()),
        409: lambda w: w.one("PUT", f"{SUBSCRIPTION}/{ONE}/wrong", w.say.subscription()),
    },
    "deleteSubscription": {
        200: lambda w: w.one("DELETE", w.subscription),
        400: lambda w: w.one("DELETE", f"{SUBSCRIPTION}/x/wrong"),
        403: lambda w: w.two("DELETE", w.subscription),
        404: lambda w: w.one("DELETE", f"{SUBSCRIPTION}/{NEW}/wrong"),
        409: lambda w: w.one("DELETE", f"{SUBSCRIPTION}/{ONE}/wrong"),
    },
    "makeDssReport": {
        201: lambda w: w.one("POST", "/dss/v1/reports", w.report()),
        400: lambda w: w.one("POST", "/dss/v1/reports", {}),
    },
    "setUssAvailability": {
        200: lambda w: w.one("PUT", USS, {"availability": "Down", "old_version": ""}),
        400: lambda w: w.one("PUT", USS, {}),
        409: lambda w: w.one("PUT", USS, {"availability": "Down", "old_version": "x"}),
    },
    "getUssAvailability": {
        200: lambda w: w.one("GET", USS),
        400: lambda w: w.one("GET", USS.replace("uss1", "\n")),
    },
}


@pytest.mark.parametrize(
    ("operation", "code"),
    [(operation, code) for operation, codes in SCENARIOS.items() for code in codes],
)
def test_each_operation_answers_with_each_of_its_codes(world, operation, code):
    answer = SCENARIOS[operation][code](world)
    assert answer.status == code
    assert answer.media_type == "application/json"
    assert ("message" in answer.json) is (code >= 400)
