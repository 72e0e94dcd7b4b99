"""Arrays, columns and tables of other libraries as NumPy arrays, without importing any of these libraries.

Objects are recognized by their interface: tables by their columns, columns by ``to_numpy``, arrays by ``__array__``,
``__dlpack__`` or the buffer protocol.  Memory is shared where its layout allows: a pandas table of one dtype, a column
without missing values, a tensor on the CPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["has_axes", "is_arraylike", "refuse_texts", "to_array"]

_PLAIN = (str, bytes, bytearray, int, float, complex, type(None), list, tuple, Mapping)


def is_arraylike(value: Any) -> bool:
    """Return whether ``value`` is an array, or a column, table, tensor or buffer that ``to_array`` reads.

    Examples
    --------
    >>> import array
    >>> is_arraylike(array.array("f", [1, 2])), is_arraylike([1, 2]), is_arraylike(b"text")
    (True, False, False)
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return True
    if isinstance(value, (*_PLAIN, type)):
        return False
    return any(hasattr(value, word) for word in ("to_numpy", "__array__", "__dlpack__")) or _is_buffer(value)


def has_axes(value: Any) -> bool:
    """Return whether ``value`` is such an array that is not a single number."""
    return is_arraylike(value) and not isinstance(value, np.generic) and getattr(value, "ndim", 1) != 0


def to_array(name: str, value: Any, texts: bool = False) -> np.ndarray:
    """Return the NumPy array of an object for which ``is_arraylike`` holds; of a table, the columns in order.

    Parameters
    ----------
    name : str
        What the object is called in errors.
    value : array, table, column, tensor or buffer
    texts : bool
        Whether a column may hold strings; they then stay Python strings, in an array of dtype object.

    Returns
    -------
    array
        Of any dtype; a table gives (N, columns) in the dtype that holds them all.

    Raises
    ------
    TypeError
        If a column does not hold numbers, or the library does not hand its memory to NumPy.
    ValueError
        If values are missing, or a table has no columns.

    Examples
    --------
    >>> import array
    >>> to_array("x", array.array("f", [1, 2]))
    array([1., 2.], dtype=float32)
    """
    if isinstance(value, np.ndarray):
        if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
            raise ValueError(f"{name} must not have missing values. Received: a masked array. Use {name}.filled(0).")
        return value
    if _is_table(value):
        return _read_table(name, value)
    if hasattr(value, "to_numpy"):
        return _read_column(name, value, texts)
    return _read_memory(name, value)


# Tables.


def _is_table(value: Any) -> bool:
    return hasattr(type(value), "__dataframe__") or hasattr(type(value), "get_columns")


def _read_table(name: str, table: Any) -> np.ndarray:
    names = list(table.column_names if hasattr(table, "column_names") else table.columns)
    if not names:
        raise ValueError(f"{name} must have columns. Received: a table of shape {table.shape}.")
    columns = [_column(table, place) for place in range(len(names))]
    arrays = [_read_column(f"{name}[{label!r}]", column) for label, column in zip(names, columns, strict=True)]
    for label, array in zip(names, arrays, strict=True):
        if array.ndim != 1:
            raise TypeError(
                f"A table must hold one number per row and column. Received: column {label!r} of {name} with values of "
                f"shape {array.shape[1:]}. Use {name}[{label!r}] alone."
            )
    dtypes = {array.dtype for array in arrays}
    if len(dtypes) == 1 and hasattr(table, "iloc"):
        whole = table.to_numpy()  # shares the memory of a table with one block
        if whole.dtype in dtypes:
            return whole
    found = np.empty((len(arrays[0]), len(arrays)), np.result_type(*dtypes))
    for place, array in enumerate(arrays):
        found[:, place] = array
    return found


def _column(table: Any, place: int) -> Any:
    """One column by its place: names need not be unique."""
    if hasattr(table, "iloc"):  # pandas and its kin
        return table.iloc[:, place]
    return table.column(place) if hasattr(table, "column") else table.get_columns()[place]  # Arrow; polars


# Columns.


def _read_column(name: str, column: Any, texts: bool = False) -> np.ndarray:
    kind = str(getattr(column, "dtype", getattr(column, "type", "")))  # Arrow says type
    _refuse_categories(name, column, kind)
    _refuse_missing(name, column, kind)
    dtype = getattr(getattr(column, "dtype", None), "numpy_dtype", None)  # of a nullable column of pandas
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        array = np.asarray(column.to_numpy(dtype=dtype))
    else:
        array = np.asarray(column if hasattr(column, "__array__") else column.to_numpy())
    if array.dtype.kind in "Mm":
        raise TypeError(
            f"{name} must hold numbers. Received: times, dtype {kind}. Use numbers in their place, such as the seconds "
            "since the first of them."
        )
    if texts and array.dtype.kind in "OSUT" and all(isinstance(entry, (str, bytes)) for entry in array.flat):
        return array.astype(object)
    refuse_texts(name, array)
    if array.dtype == object and array.size:
        raise TypeError(
            f"{name} must hold one number per row. Received: dtype {kind}, the first value of type "
            f'{type(array.flat[0]).__name__}. Use {name}.astype("float32") if they are numbers, or np.stack({name}) if '
            "they are rows of equal length."
        )
    return array


def _refuse_missing(name: str, column: Any, kind: str) -> None:
    """Raise ValueError if values are missing; NaN in a column of plain floats is a number like any other."""
    if hasattr(column, "isna"):
        plain = isinstance(column.dtype, np.dtype) and column.dtype.kind != "O"
        missing, fill = 0 if plain else int(np.sum(column.isna())), "fillna"
    else:
        missing, fill = getattr(column, "null_count", 0), "fill_null"
        missing = missing() if callable(missing) else missing
    if missing:
        filler = '""' if kind.lower() in ("object", "str", "string", "large_string") else "0"
        raise ValueError(
            f"{name} must not have missing values. Received: {missing} of them, dtype {kind}. "
            f"Use {name}.{fill}({filler}), or leave these rows out."
        )


def _refuse_categories(name: str, column: Any, kind: str) -> None:
    if hasattr(column, "cat") and kind == "category":
        codes = f"{name}.cat.codes"
    elif kind.startswith(("Categorical", "Enum")):
        codes = f"{name}.to_physical()"
    elif kind.startswith("dictionary"):
        codes = f"{name}.combine_chunks().indices" if hasattr(column, "combine_chunks") else f"{name}.indices"
    elif hasattr(column, "codes") and hasattr(column, "categories"):
        codes = f"{name}.codes"
    else:
        return
    raise TypeError(
        f"{name} must hold numbers. Received: categories, dtype {kind}. Use {codes} for their numbers, and "
        "fastnn.utils.to_categorical of these for a column per category."
    )


def refuse_texts(name: str, array: np.ndarray) -> None:
    """Raise TypeError if an array begins with a string."""
    if array.dtype.kind not in "OSUT" or not array.size or not isinstance(array.flat[0], (str, bytes)):
        return
    hint = f"Use {name} = np.unique({name}, return_inverse=True)[1] if they name classes."
    if name == "x":
        hint = "Use fastnn.text.TextVectorization or Tokenizer to turn words into ids first."
    elif name.endswith("]"):  # a column of a table
        hint = f"Use np.unique({name}, return_inverse=True)[1] in its place if they name classes, or leave it out."
    raise TypeError(f"{name} must hold numbers. Received: texts, the first {str(array.flat[0])!r}. {hint}")


# Memory.


def _read_memory(name: str, value: Any) -> np.ndarray:
    """Return an array over the memory of a tensor or buffer."""
    try:
        if hasattr(value, "__array__"):
            return np.asarray(value)
        return np.from_dlpack(value) if hasattr(value, "__dlpack__") else np.asarray(memoryview(value))
    except (TypeError, RuntimeError, BufferError, NotImplementedError) as error:
        if type(value).__module__.partition(".")[0] == __name__.partition(".")[0]:
            raise  # a symbol, which teaches by itself
        hint = f"Use {name} = np.asarray({name})" if not hasattr(value, "detach") else _of_tensor(name, value)
        raise TypeError(
            f"{name} must be an array that NumPy can read. Received: {type(value).__name__}, which says: "
            f"{str(error).rstrip('.')}. {hint}."
        ) from error


def _of_tensor(name: str, tensor: Any) -> str:
    """What makes an array of a tensor with gradients, on another device, or of 16-bit floats."""
    return f"Use {name} = {name}.detach().cpu(){'.float()' if 'float16' in str(tensor.dtype) else ''}.numpy()"


def _is_buffer(value: Any) -> bool:
    try:
        memoryview(value).release()
    except (TypeError, BufferError):
        return False
    return True
