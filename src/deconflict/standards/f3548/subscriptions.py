"""Handlers of subscriptions, which nobody but their own party sees."""

from __future__ import annotations

from deconflict.standards.f3548 import answers, commands
from deconflict.standards.f3548.identifier import identifier_of
from deconflict.standards.service import Call, Reply, RequestError, Service, Submission


async def query(service: Service, call: Call) -> Reply:
    """Return the caller's subscriptions that meet an area, altitudes and times."""
    view = service.view()
    area = await service.aside(
        call, lambda: commands.area_of_interest(call, view.policy, too_large=413)
    )
    found = [
        subscription
        for subscription in view.subscriptions_meeting(area)
        if subscription.party == call.caller.party
    ]
    service.answered(call, [subscription.id for subscription in found])
    return answers.subscriptions(view, found)


async def get(service: Service, call: Call) -> Reply:
    """Return one subscription."""
    identifier = identifier_of(call.path["subscriptionid"], "subscriptionid")
    view = service.view()
    subscription = view.subscription(identifier)
    if subscription is None:
        raise RequestError(404, f"there is no subscription {identifier}; check its ID")
    if subscription.party != call.caller.party:
        service.answered(call, ())
        raise RequestError(403, f"subscription {identifier} is not yours; check its ID")
    return answers.one_subscription(view, subscription)


async def put(service: Service, call: Call) -> Reply:
    """Create or change a subscription."""
    view, entropy = service.view(), service.entropy()
    command = await service.aside(call, lambda: commands.put_subscription(call, view, entropy))
    answer = answers.subscription_put(call)
    return await service.submit(Submission(command, call, command.id, answer))


async def delete(service: Service, call: Call) -> Reply:
    """Delete a subscription."""
    command = commands.remove_subscription(call, service.entropy())
    answer = answers.subscription_removed(call)
    return await service.submit(Submission(command, call, command.id, answer))
