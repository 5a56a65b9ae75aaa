# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`typing.NamedTuple` for modules that a scan loads, without what it costs to start.

A scan of one file is mostly start-up: `typing` takes 2 ms to load, and it compiles the source of a constructor for
every class, 0.2 ms each. The class here has the same fields, defaults, methods and errors, and one constructor for
all. A type checker sees `typing.NamedTuple` itself.
"""

from __future__ import annotations

from operator import itemgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    _make = tuple.__new__

    class _NamedTupleType(type):
        """Makes the fields of a class from its annotations."""

        def __new__(mcs, name, bases, body):
            """Make the class; its instances have no room for anything but the fields."""
            made = super().__new__(mcs, name, bases, {**body, "__slots__": ()})
            made._fields = made.__match_args__ = tuple(body.get("__annotations__", ()))
            made._width = len(made._fields)
            made._field_defaults = {field: body[field] for field in made._fields if field in body}
            for index, field in enumerate(made._fields):
                setattr(made, field, property(itemgetter(index)))
            return made

    class NamedTuple(tuple, metaclass=_NamedTupleType):
        """Base of records; see `typing.NamedTuple`."""

        __slots__ = ()

        def __new__(cls, *values, **named):
            """Make a record of values in the order of the fields, and by name.

            Raises:
                TypeError: a field is missing, unknown or given twice.
            """
            if named or len(values) != cls._width:
                values = cls._complete(values, named)
            return _make(cls, values)

        @classmethod
        def _complete(cls, values, named):
            """Return the values of all fields, those that are not given by default."""
            rest = cls._fields[len(values) :]
            found = {**cls._field_defaults, **named}
            if len(values) > cls._width or not found.keys() >= set(rest) or not named.keys() <= set(rest):
                raise TypeError(f"{cls.__name__}({', '.join(cls._fields)}): {len(values)} values and {list(named)}")
            return (*values, *[found[field] for field in rest])

        def _replace(self, **changes):
            """Return the record with some fields changed."""
            made = _make(type(self), map(changes.pop, self._fields, self))
            if changes:
                raise TypeError(f"{type(self).__name__} has no field {', '.join(changes)}")
            return made

        def _asdict(self):
            """Return the fields by name."""
            return dict(zip(self._fields, self, strict=True))

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in self._asdict().items())})"


__all__ = ["NamedTuple"]
