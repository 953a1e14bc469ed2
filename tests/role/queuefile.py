"""Reads queue files, written from the manual page unitpost-queue(5) and from nothing else: what it
finds whole is whole for a reader that is not ours."""

import collections
import struct

PREAMBLE = struct.Struct('<8sI4xQQQQ12xI')
RECORD = struct.Struct('<BII')
CONTENT = struct.Struct('<BQI')
ENVELOPE = struct.Struct('<QIIBHHH')
RECIPIENT = struct.Struct('<BQBHHH')

Message = collections.namedtuple('Message', 'sender envid recipients content')


def _crc32c_of_byte(byte):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
    return byte


_TABLE = [_crc32c_of_byte(byte) for byte in range(256)]


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


class Damaged(Exception):
    pass


def _check(condition, what):
    if not condition:
        raise Damaged(what)


def _records(data, at, end):
    """(type, offset of the payload, payload) up to END."""
    kind = b''
    while kind != b'E':
        _check(at + RECORD.size <= end, 'no END')
        kind = data[at:at + 1]
        layout = CONTENT if kind == b'C' else RECORD
        _, size, crc = layout.unpack_from(data, at)
        payload = data[at + layout.size:at + layout.size + size]
        head = data[at:at + layout.size - 4]
        if kind == b'C':
            checked = payload + head
        else:
            checked = head + payload[9 if kind == b'R' else 0:]
        _check(crc == crc32c(checked), f'record {kind} is damaged')
        yield kind, at + layout.size, payload
        at += layout.size + size
    _check(at == end, 'END is not at the end')


def _texts(payload, layout):
    """The texts behind a record's fixed part, whose last fields are their lengths."""
    *_, first, second, third = layout.unpack_from(payload)
    texts, at = [], layout.size
    for size in (first, second, third):
        texts.append(payload[at:at + size].decode())
        at += size
    _check(at == len(payload), 'texts and their lengths differ')
    return texts


def parse(data):
    """A Message; raises Damaged for what is not a complete queue file."""
    _check(len(data) >= 64, 'no preamble')
    magic, version, end, content_at, content_size, n_recipients, crc = PREAMBLE.unpack_from(data)
    _check(magic == b'UNITPOST' and version == 1 and crc == crc32c(data[:60]), 'another preamble')
    _check(end <= len(data), 'incomplete')
    envelopes, recipients, contents = [], [], []
    for kind, at, payload in _records(data, 64, end):
        if kind == b'V':
            envelopes.append(_texts(payload, ENVELOPE))
        elif kind == b'R':
            recipients.append(_texts(payload, RECIPIENT)[0])
        elif kind == b'C':
            contents.append((at, payload))
    _check(len(envelopes) == 1 and len(contents) == 1, 'not one envelope and one content')
    _check(len(recipients) == n_recipients, 'other recipients than the preamble counts')
    _check((contents[0][0], len(contents[0][1])) == (content_at, content_size),
           'the content is elsewhere')
    sender, _, envid = envelopes[0]
    return Message(sender, envid, recipients, contents[0][1])
