"""Plain values cross unchanged; everything else crosses as a name, or not at all."""

import json
import math
import socket
import struct
import threading

import numpy as np
import pytest
import torch

from stablenets.grading.sandbox import wire


@pytest.fixture
def line():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def cross(line, value):
    sender = threading.Thread(target=wire.send, args=(line[0], value))
    sender.start()
    received = wire.receive(line[1])
    sender.join()
    return received


def forge(line, header, data=b""):
    line[0].sendall(struct.pack(">II", len(header), len(data)) + header + data)
    return wire.receive(line[1])


@pytest.mark.parametrize(
    "value",
    [None, True, 3, -(10**400), 0.1, math.inf, "ü\n'\"", 1 + 2j, ..., [1, [2.5, "x"]], (1, (2,)), {"a": (1,)}, [], ()],
    ids=repr,
)
def test_plain_values_cross_unchanged(line, value):
    received = cross(line, value)
    assert received == value
    assert type(received) is type(value)


@pytest.mark.parametrize("dtype", wire.TENSOR_TYPES.values(), ids=str)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_tensors_cross_with_their_type(line, dtype, shape):
    tensor = torch.arange(math.prod(shape)).reshape(shape).to(dtype)
    received = cross(line, tensor)
    assert received.dtype is dtype
    assert torch.equal(received, tensor)


@pytest.mark.parametrize("name", wire.ARRAY_TYPES)
def test_arrays_and_their_scalars_cross_with_their_type(line, name):
    array = np.arange(6).reshape(2, 3).astype(name).T
    received = cross(line, [array, array[1, 1]])
    assert np.array_equal(received[0], array)
    assert received[0].dtype == array.dtype
    assert type(received[1]) is type(array[1, 1])


def test_parameters_views_and_sparse_tensors_cross_as_plain_tensors(line):
    weight = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3))
    received = cross(
        line, (weight, weight.T, weight.to_sparse(), torch.view_as_complex(weight.data.reshape(3, 2)).conj())
    )
    assert [torch.equal(one, weight) for one in received[:1]] == [True]
    assert torch.equal(received[1], weight.T)
    assert torch.equal(received[2], weight)
    assert received[3].imag.tolist() == [-1, -3, -5]


def test_long_lists_of_floats_are_still_lists_of_floats(line):
    values = [float(i) for i in range(200_000)]
    assert cross(line, values) == values


class Liar(float):
    def __eq__(self, other):
        return True

    __hash__ = None


@pytest.mark.parametrize(
    ("value", "name"),
    [({1}, "set"), (object(), "object"), (10**5000, "enormous int")],
    ids=["set", "object", "integer"],
)
def test_other_values_cross_as_the_name_of_their_type(line, value, name):
    assert cross(line, value) == wire.Opaque(name)


def test_what_equals_everything_crosses_as_what_it_is(line):
    received = cross(line, Liar(2))
    assert type(received) is float
    assert received == 2


@pytest.mark.parametrize(
    "header",
    [
        b"{", b"[" * 5000 + b"]" * 5000, b"9" * 5000, b'{"tensor": "object", "shape": []}',
        b'{"array": "O", "shape": [1]}',
        b'{"tensor": "float64", "shape": [4]}', b'{"tensor": "float64", "shape": [-1]}', b'{"floats": 99}',
        b'{"tensor": "float64", "shape": [2147483647, 2147483647]}', b'{"pickle": "x"}', b'{"floats": true}',
        b'{"dict": [[[1], 2]]}', b'{"dict": 3}', b"\xff", b'{"tensor": "uint8", "shape": "aa"}', b'{"tuple": 3}',
    ],
)  # fmt: skip
def test_forged_messages_are_refused(line, header):
    with pytest.raises(wire.Malformed):
        forge(line, header)


def test_announced_lengths_are_bounded(line):
    line[0].sendall(struct.pack(">II", 2**32 - 1, 2**32 - 1))
    with pytest.raises(wire.Malformed, match="too long"):
        wire.receive(line[1])


def test_message_cut_short_is_the_end(line):
    line[0].sendall(struct.pack(">II", 10, 0) + b"123")
    line[0].close()
    with pytest.raises(EOFError):
        wire.receive(line[1])


def test_too_large_a_value_is_refused_by_the_sender(line):
    with pytest.raises(wire.Malformed, match="must fit"):
        wire.send(line[0], torch.zeros(wire.DATA_LIMIT // 8 + 1, dtype=torch.float64))


def test_header_is_json(line):
    wire.send(line[0], [1, "a"])
    lengths = struct.unpack(">II", line[1].recv(8))
    assert json.loads(line[1].recv(lengths[0])) == [1, "a"]
