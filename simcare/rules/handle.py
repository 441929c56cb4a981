"""A world as the compiled rules take it: one pointer to a block of addresses, instead of the hundred words of its
arrays at every call.

For numba a handle has the attributes of ``World`` and ``Tables``. Each is read as an array that borrows the memory of
the numpy array of the same name: nothing is counted or copied. The handle keeps the world alive, and a rule never
outlives the call it was given the handle in.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)
from numba.np import arrayobj, numpy_support

from simcare.rules.records import LAYOUT, TABLES_LAYOUT, World

FIELDS = {**{f"tables.{name}": kind for name, kind in TABLES_LAYOUT.items()}, **LAYOUT}
_PLACES = dict(
    zip(FIELDS, np.cumsum([0, *(1 + dimensions for _, dimensions in FIELDS.values())]).tolist(), strict=False)
)


class Handle:
    """The addresses and shapes of a world's arrays, one after the other: what the rules are given."""

    def __init__(self, world: World) -> None:
        self.world = world
        words: list[int] = []
        for name, (dtype, dimensions) in FIELDS.items():
            array = attrgetter(name)(world)
            if array.dtype != dtype or array.ndim != dimensions or not array.flags.c_contiguous:
                raise TypeError(
                    f"{name}: the rules take {dtype} in {dimensions} dimensions, got {array.dtype} in {array.ndim}"
                )
            words += [array.ctypes.data, *array.shape]
        self._block = np.array(words, np.int64)
        self.address = self._block.ctypes.data


def handle(world: World) -> Any:
    """The handle of a world; its arrays are the world's own, so what a rule changes is changed for all."""
    return Handle(world)


class _WorldType(types.Type):
    def __init__(self) -> None:
        super().__init__(name="World")


class _TablesType(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Tables")


_WORLD, _TABLES = _WorldType(), _TablesType()
register_model(_WorldType)(models.OpaqueModel)
register_model(_TablesType)(models.OpaqueModel)


@typeof_impl.register(Handle)
def _type_of(value: Handle, context: Any) -> Any:
    return _WORLD


@unbox(_WorldType)  # type: ignore[untyped-decorator]
def _unbox(typ: Any, value: Any, c: Any) -> Any:
    address = c.pyapi.object_getattr_string(value, "address")
    pointer = c.builder.inttoptr(c.pyapi.long_as_longlong(address), ir.IntType(8).as_pointer())
    c.pyapi.decref(address)
    return NativeValue(pointer, is_error=cgutils.is_not_null(c.builder, c.pyapi.err_occurred()))


def _array_type(name: str) -> Any:
    dtype, dimensions = FIELDS[name]
    return types.Array(numpy_support.from_dtype(np.dtype(dtype)), dimensions, "C")


@infer_getattr
class _WorldAttributes(AttributeTemplate):
    key = _WorldType

    def generic_resolve(self, typ: Any, name: str) -> Any:  # type: ignore[override]
        return _TABLES if name == "tables" else _array_type(name) if name in LAYOUT else None


@infer_getattr
class _TablesAttributes(AttributeTemplate):
    key = _TablesType

    def generic_resolve(self, typ: Any, name: str) -> Any:  # type: ignore[override]
        return _array_type(f"tables.{name}") if name in TABLES_LAYOUT else None


@lower_getattr_generic(_WorldType)  # type: ignore[untyped-decorator]
def _world_attribute(context: Any, builder: Any, typ: Any, value: Any, name: str) -> Any:
    return value if name == "tables" else _borrowed(context, builder, value, name)


@lower_getattr_generic(_TablesType)  # type: ignore[untyped-decorator]
def _tables_attribute(context: Any, builder: Any, typ: Any, value: Any, name: str) -> Any:
    return _borrowed(context, builder, value, f"tables.{name}")


def _borrowed(context: Any, builder: Any, value: Any, name: str) -> Any:
    """An array over memory that somebody else keeps."""
    kind = _array_type(name)
    word = context.get_value_type(types.intp)
    block = builder.bitcast(value, word.as_pointer())

    def load(k: int) -> Any:
        loaded = builder.load(builder.gep(block, [ir.Constant(word, _PLACES[name] + k)]))
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))  # the block never changes under a rule
        return loaded

    array = arrayobj.make_array(kind)(context, builder)
    shape = [load(1 + k) for k in range(kind.ndim)]
    itemsize = ir.Constant(word, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    strides = [itemsize]
    for size in shape[:0:-1]:
        strides.insert(0, builder.mul(strides[0], size))
    data = builder.inttoptr(load(0), context.get_data_type(kind.dtype).as_pointer())
    arrayobj.populate_array(array, data=data, shape=shape, strides=strides, itemsize=itemsize, meminfo=None)
    return array._getvalue()
