"""Messages between the grader and a submission: JSON for the shape, bytes for the numbers.

Nothing that arrives is executed or unpickled. A message is two lengths, a JSON header and the bytes of its arrays; all
are bounded, and whatever is not a plain value crosses as the name of its type only.
"""

import contextlib
import json
import math
import socket
import struct
import time
from typing import Any, NamedTuple

import numpy as np
import torch

HEADER_LIMIT = 2 * 2**20
DATA_LIMIT = 16 * 2**20
DEPTH_LIMIT = 20
DIGITS_LIMIT = 4000
NAME_LIMIT = 80
LONG_LIST = 64
LENGTHS = struct.Struct(">II")

TENSOR_TYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex128, torch.complex64,
        torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool,
    )
}  # fmt: skip
ARRAY_TYPES = {
    name: np.dtype(name)
    for name in (
        "float64", "float32", "float16", "complex128", "complex64",
        "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool",
    )
}  # fmt: skip


class Malformed(ValueError):
    """A message that does not follow the rules."""


class Opaque(NamedTuple):
    """Stands for a value that does not cross, by the name of its type."""

    type_name: str


def send(connection: socket.socket, value: Any) -> None:
    """Send one value.

    Raises:
        Malformed: it is too large.
    """
    data = bytearray()
    header = json.dumps(_encode(value, data, 0)).encode()
    if len(header) > HEADER_LIMIT or len(data) > DATA_LIMIT:
        raise Malformed(f"a value must fit in {HEADER_LIMIT + DATA_LIMIT} bytes")
    connection.sendall(LENGTHS.pack(len(header), len(data)) + header + data)


def receive(connection: socket.socket, until: float | None = None) -> Any:
    """Receive one value, all of it before ``time.monotonic()`` reaches ``until`` if that is given.

    Raises:
        EOFError: the other side is gone.
        TimeoutError: it is not all there in time.
        Malformed: what came is no message.
    """
    header_length, data_length = LENGTHS.unpack(_read(connection, LENGTHS.size, until))
    if header_length > HEADER_LIMIT or data_length > DATA_LIMIT:
        raise Malformed("the message is too long")
    header, data = _read(connection, header_length, until), memoryview(_read(connection, data_length, until))
    try:
        return _decode(json.loads(header), _Reader(data), 0)
    except Malformed:
        raise
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError, RuntimeError) as error:
        raise Malformed(f"the message does not parse: {type(error).__name__}") from error


def _read(connection: socket.socket, length: int, until: float | None) -> bytearray:
    buffer = bytearray(length)
    view, start = memoryview(buffer), 0
    while start < length:
        if until is not None:
            # Byte by byte, a sender could make every single wait short.
            connection.settimeout(max(until - time.monotonic(), 1e-3))
        count = connection.recv_into(view[start:])
        if not count:
            raise EOFError("the other side is gone")
        start += count
    return buffer


def _encode(value: Any, data: bytearray, depth: int) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return str(value).encode("utf-8", "replace").decode() if isinstance(value, str) else value
    if isinstance(value, int) and not isinstance(value, np.generic):
        return int(value) if abs(value) < 10**DIGITS_LIMIT else {"opaque": "enormous int"}
    if isinstance(value, float) and not isinstance(value, np.generic):
        return float(value)
    if isinstance(value, complex) and not isinstance(value, np.generic):
        return {"complex": [value.real, value.imag]}
    if value is ...:
        return {"ellipsis": True}
    if isinstance(value, torch.Tensor):
        return _encode_tensor(value, data)
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.name in ARRAY_TYPES:
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        array = np.ascontiguousarray(value, value.dtype.name)  # by name: in this machine's order of bytes
        data += array.tobytes()
        return {kind: array.dtype.name, "shape": list(np.shape(value))}
    if isinstance(value, (list, tuple, dict)) and depth < DEPTH_LIMIT:
        if isinstance(value, dict):
            return {"dict": [[_encode(k, data, depth + 1), _encode(v, data, depth + 1)] for k, v in value.items()]}
        if len(value) > LONG_LIST and all(type(item) is float for item in value):
            data += np.array(value).tobytes()
            items: Any = {"floats": len(value)}
        else:
            items = [_encode(item, data, depth + 1) for item in value]
        return items if isinstance(value, list) else {"tuple": items}
    return _encode_other(value, data, depth)


def _encode_other(value: Any, data: bytearray, depth: int) -> Any:
    """Encode what is not plain but holds plain numbers, such as a Fraction or an array of objects."""
    with contextlib.suppress(Exception):  # whatever a class of the submission's own raises
        if isinstance(value, np.ndarray) and value.dtype.kind in "fO" and depth < DEPTH_LIMIT:
            return _encode(value.astype(float) if value.dtype.kind == "f" else value.tolist(), data, depth + 1)
        if hasattr(type(value), "__float__") and not isinstance(value, (np.ndarray, np.complexfloating)):
            return float(value)
    return {"opaque": type(value).__name__[:NAME_LIMIT]}


def _encode_tensor(tensor: torch.Tensor, data: bytearray) -> dict[str, Any]:
    name = str(tensor.dtype).removeprefix("torch.")
    if name not in TENSOR_TYPES or tensor.is_meta or tensor.is_quantized or tensor.is_nested:
        return {"opaque": f"{name} Tensor"}
    tensor = tensor.detach().to_dense() if tensor.layout is not torch.strided else tensor.detach()
    plain = tensor.cpu().resolve_conj().resolve_neg().contiguous()
    data += plain.reshape(-1).view(torch.uint8).numpy().tobytes()
    return {"tensor": name, "shape": list(plain.shape)}


class _Reader:
    """Hands out the bytes of a message in order."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.start = data, 0

    def take(self, length: int) -> bytearray:
        if length > len(self.data) - self.start:
            raise Malformed("the message is shorter than its arrays")
        self.start += length
        return bytearray(self.data[self.start - length : self.start])


def _decode(item: Any, reader: _Reader, depth: int) -> Any:
    if depth > 2 * DEPTH_LIMIT:
        raise Malformed("the value is nested too deeply")
    if isinstance(item, list):
        return [_decode(each, reader, depth + 1) for each in item]
    if not isinstance(item, dict):
        return item
    match item:
        case {"complex": [float() | int() as real, float() | int() as imaginary]}:
            return complex(real, imaginary)
        case {"ellipsis": True}:
            return ...
        case {"tensor": str(name), "shape": list(shape)}:
            dtype, sizes = TENSOR_TYPES[name], _sizes(shape)
            data = reader.take(math.prod(sizes) * dtype.itemsize)
            return torch.frombuffer(data, dtype=dtype).reshape(sizes) if data else torch.zeros(sizes, dtype=dtype)
        case {"array": str(name), "shape": list(shape)} | {"scalar": str(name), "shape": list(shape)}:
            dtype, sizes = ARRAY_TYPES[name], _sizes(shape)
            array = np.frombuffer(reader.take(math.prod(sizes) * dtype.itemsize), dtype).reshape(sizes)
            return array[()] if "scalar" in item else array
        case {"floats": int(length)} if length >= 0:
            return np.frombuffer(reader.take(8 * length), np.float64).tolist()
        case {"tuple": items}:
            return tuple(_decode(items, reader, depth + 1))
        case {"dict": list(pairs)}:
            return {_decode(k, reader, depth + 1): _decode(v, reader, depth + 1) for k, v in pairs}
        case {"opaque": str(name)}:
            return Opaque(name[:NAME_LIMIT])
    raise Malformed("the message holds an unknown kind of value")


def _sizes(shape: list[Any]) -> list[int]:
    if len(shape) > 16 or not all(type(size) is int and 0 <= size < 2**31 for size in shape):
        raise Malformed("the shape of an array must be a short list of sizes")
    return shape
