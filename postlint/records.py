"""NamedTuple for modules on the path of every run.

``typing.NamedTuple`` compiles source text for every class, a tenth of a millisecond each; with
the records of all layers that is more than reading a configuration takes. Type checkers see the
original.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    try:
        from _collections import _tuplegetter as _getter
    except ImportError:
        from operator import itemgetter

        def _getter(index, _doc):
            return property(itemgetter(index))

    _MANY = 200
    """Of a class with so many records more will come: its constructor is worth compiling."""
    _MADE = {}

    def _compiled(cls):
        """A constructor without the loops of the general one."""
        given = [
            f"{field}=_defaults[{field!r}]" if field in cls._field_defaults else field
            for field in cls._fields
        ]
        values = "".join(f"{field}, " for field in cls._fields)
        text = f"lambda _cls, {', '.join(given)}: _new(_cls, ({values}))"
        names = {"_new": tuple.__new__, "_defaults": cls._field_defaults}
        constructor = eval(text, names)  # noqa: S307 - nothing but the names of fields
        constructor.__name__ = "__new__"
        return staticmethod(constructor)

    class _Type(type):
        def __new__(cls, name, bases, namespace):
            if bases:
                fields = tuple(namespace.get("__annotations__", ()))
                defaults = {field: namespace.pop(field) for field in fields if field in namespace}
                namespace["__match_args__"] = namespace["_fields"] = fields
                namespace["_field_defaults"] = defaults
                namespace |= {field: _getter(at, None) for at, field in enumerate(fields)}
            return super().__new__(cls, name, bases or (tuple,), {"__slots__": (), **namespace})

    class NamedTuple(metaclass=_Type):
        """A tuple whose items have names, as ``typing.NamedTuple`` makes them."""

        def __new__(cls, *values, **named):
            made = _MADE[cls] = _MADE.get(cls, 0) + 1
            if made == _MANY:
                cls.__new__ = _compiled(cls)
            if named or len(values) != len(cls._fields):
                values = cls._complete(values, named)
            return tuple.__new__(cls, values)

        @classmethod
        def _complete(cls, values, named):
            missing = cls._fields[len(values) :]
            items = {**cls._field_defaults, **named}
            unknown = named.keys() - set(missing)
            if len(values) > len(cls._fields) or unknown or not items.keys() >= set(missing):
                raise TypeError(f"{cls.__name__}() takes {cls._fields}, not {values} {named}")
            return (*values, *(items[field] for field in missing))

        def __repr__(self):
            items = zip(self._fields, self, strict=True)
            return f"{type(self).__name__}({', '.join(f'{key}={item!r}' for key, item in items)})"

        def __getnewargs__(self):
            return tuple(self)

        def _replace(self, **named):
            changed = tuple.__new__(type(self), map(named.pop, self._fields, self))
            if named:
                raise TypeError(f"{type(self).__name__} has no {', '.join(named)}")
            return changed

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))


__all__ = ["NamedTuple"]
