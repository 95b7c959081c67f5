"""The entity that a command is about, and whether its party may touch it."""

from __future__ import annotations

from deconflict.register.decide.refusing import RefusedError
from deconflict.register.decision import Reason
from deconflict.register.entity import Kind
from deconflict.register.state.held import Held
from deconflict.register.state.view import View


def check_free(view: View, identifier: str, party: str) -> None:
    """Refuse to create what is there already."""
    held = view.entity(identifier)
    if held is None:
        return
    if held.party != party:
        raise RefusedError(
            Reason.NOT_YOURS,
            f"the identifier {identifier} is in use by another party",
            "create yours under a new identifier",
        )
    raise RefusedError(
        Reason.EXISTS,
        f"you have the {held.kind} {identifier} already",
        "name its OVN to change it, or create another under a new identifier",
    )


def current(view: View, kind: Kind, identifier: str, party: str, ovn: str) -> Held:
    """Return the entity that a party wants to change or delete.

    Whose it is comes before the OVN, so that nobody can try out OVNs of others.

    Raises
    ------
    RefusedError
        If it is absent, another party's, or has another OVN.
    """
    held = view.entity(identifier)
    if held is None or held.kind is not kind:
        raise RefusedError(
            Reason.ABSENT,
            f"there is no {kind} {identifier}",
            "check the identifier; it may have ended, or been deleted",
        )
    if held.party != party:
        raise RefusedError(
            Reason.NOT_YOURS,
            f"the {kind} {identifier} is managed by another party",
            "only its manager can change or delete it",
        )
    if held.ovn != ovn:
        raise RefusedError(
            Reason.STALE,
            f"the OVN named is not the current one of the {kind} {identifier}",
            "read it again, and repeat the request with the OVN that it has now",
        )
    return held
