"""The flags that every setting has, made from the table of settings."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cyclopts import Parameter

from deconflict.server.settings import About, about_settings

_FEW = frozenset({"data", "host", "port", "public_key", "jwks", "audience"})
"""Settings whose flags stand first in the help."""


def with_flags(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command, which takes the settings as keywords, one flag a setting.

    The parameters that it names itself come last.
    """
    own = [
        each
        for each in inspect.signature(command, eval_str=True).parameters.values()
        if each.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    table = about_settings().values()
    ordered = sorted(table, key=lambda about: about.name not in _FEW)
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [*map(_parameter, ordered), *own]
    )
    return command


def _parameter(about: About) -> inspect.Parameter:
    kind: Any = _plain(about.type)
    default = "" if about.default in {None, ()} else f" [default: {_shown(about)}]"
    return inspect.Parameter(
        about.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            Union[kind, None],  # noqa: UP007 - the type is known only when this runs
            Parameter(help=about.help + default, show_default=False, negative_iterable=()),
        ],
    )


def _shown(about: About) -> str:
    if isinstance(about.default, bool):
        return "yes" if about.default else "no"
    number = f"{about.default:g}" if isinstance(about.default, float) else str(about.default)
    return f"{number} {about.unit}".rstrip()


def _plain(kind: Any) -> Any:  # noqa: ANN401 - a type of any form
    """Return a setting's type without its limits: these are judged where all sources meet."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in {Union, types.UnionType}:
        return next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) in {tuple, Literal} or kind in {str, int, float, bool, Path}:
        return kind
    raise TypeError(f"no flag can be made of {kind}")
