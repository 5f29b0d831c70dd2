"""Extreme values, inside and outside the ranges that formats allow."""
import struct

from tree import Members, Raw

INTEGERS = [0, 1, -1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 257, 1000, 1023, 1024, 1025,
            65535, 65536, 1 << 20, (1 << 20) + 1, (1 << 24) - 1, 1 << 24, (1 << 31) - 1, 1 << 31, -(1 << 31), (1 << 32) - 1,
            1 << 32, 1 << 40, (1 << 53) - 1, 1 << 53, (1 << 62), (1 << 63) - 1, 1 << 63, -(1 << 63), -(1 << 63) - 1,
            (1 << 64) - 1, 1 << 64, 10 ** 25]
FLOATS = ["0.0", "-0.0", "0.5", "1.0", "-1.5", "1e-5", "1e-10", "1e-20", "1e-30", "1e-37", "1.1754944e-38", "1e-38", "1e-45",
          "7e-46", "1e-46", "5e-324", "1e-400", "0.1", "0.9999999", "1.0000001", "1.5", "2.5", "1e3", "1e5", "1e8",
          "2147483647.5", "1e10", "1e15", "9007199254740993.0", "1e18", "9.3e18", "1e19", "1e20", "1e30", "1e37", "3.4e38",
          "3.4028234e38", "3.4028235e38", "3.4028236e38", "-3.4e38", "1e39", "1e100", "1.7976931348623157e308", "1e309",
          "-1e309", "1E5", "1e+5", "12e-1", "1e99999999999", "0.000000000000000000000000000000000000000000001"]
NOT_NUMBERS = ["NaN", "inf", "-Infinity", "01", "1.", ".5", "+1", "1e", "-", "0x10", "1_000", "true1", "1 2"]
STRINGS = ["", " ", "a", "\0", "\n", "\x1b[31m", "\x7f\x9b", "é", "e\u0301", "\u202etxt", "\u2028", "\ufeff", "😀", "\ud800",
           "\udc00\ud800", "\ufffd", "\uffff", "Ġ", "Ċ", "../x", "/etc/passwd", "a" * 300, "%s%n", "null", "1", "-", "\\", "\"",
           "x" * 5000, "é" * 3000]

FLOAT32 = [0.0, -0.0, 1.0, -1.0, 1e-45, -1e-45, 1.1754942e-38, 1.17549435e-38, 1e-38, 1e-30, 1e-20, 1e-10, 1e-5, 0.5, 3.0, 88.0,
           89.0, -104.0, 100.0, 1e4, 1e5, 65504.0, 65520.0, 16777216.0, 2147483648.0, 4294967296.0, 9.3e18, 1e19, 1e20, 1e30,
           1e37, 3.4e38, 3.4028234663852886e38, -3.4028234663852886e38, float("inf"), float("-inf"), float("nan")]
FLOAT64 = FLOAT32 + [5e-324, 1e-46, 1e39, 1.7976931348623157e308, -1.7976931348623157e308]


def integer(rng):
    if rng.random() < 0.7:
        return rng.choice(INTEGERS)
    return rng.choice(INTEGERS) + rng.choice((-2, -1, 1, 2))


def number(rng):
    """Returns a JSON number, mostly valid."""
    kind = rng.random()
    if kind < 0.45:
        return Raw(integer(rng))
    if kind < 0.93:
        return Raw(rng.choice(FLOATS))
    if kind < 0.96:
        return Raw("9" * rng.choice((20, 40, 400, 5000)))
    return Raw(rng.choice(NOT_NUMBERS))


def positive_number(rng):
    return Raw(repr(10.0 ** rng.uniform(-46, 39)))


def string(rng):
    return rng.choice(STRINGS)


def scalar(rng):
    kind = rng.random()
    if kind < 0.55:
        return number(rng)
    if kind < 0.8:
        return string(rng)
    return rng.choice((None, True, False))


def value(rng, depth=0):
    """Returns any JSON value."""
    kind = rng.random()
    if kind < 0.7 or depth > 3:
        return scalar(rng)
    if kind < 0.8:
        return [value(rng, depth + 1) for _ in range(rng.choice((0, 1, 2, 5)))]
    if kind < 0.9:
        return Members([string(rng), value(rng, depth + 1)] for _ in range(rng.choice((0, 1, 2, 5))))
    if kind < 0.93:
        levels = rng.choice((10, 100, 3000))
        return Raw("[" * levels + "]" * levels)
    if kind < 0.96:
        levels = rng.choice((10, 100, 3000))
        return Raw('{"a":' * levels + "1" + "}" * levels)
    return [number(rng)] * rng.choice((50, 300, 2000))


def bits32(rng):
    """Returns the four bytes of a float32."""
    if rng.random() < 0.7:
        return struct.pack("<f", rng.choice(FLOAT32))
    return rng.randbytes(4)


def damage(rng, data):
    """Returns the bytes with random changes."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        if not data:
            break
        place = rng.randrange(len(data))
        kind = rng.randrange(6)
        if kind == 0:
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[place] = rng.choice((0, 0xFF, 0x80, 0x7F, 0x0A, 0x22, 0x5C, 0x20))
        elif kind == 2:
            del data[place:]
        elif kind == 3:
            del data[place:place + rng.choice((1, 2, 4, 8, 64))]
        elif kind == 4:
            data[place:place] = data[place:place + rng.choice((1, 2, 8, 64))]
        else:
            data[place:place] = rng.choice((b"\0", b"\xef\xbb\xbf", b"\xff", b"\r", b"{}", b"[", b'"', rng.randbytes(4)))
    return bytes(data)
