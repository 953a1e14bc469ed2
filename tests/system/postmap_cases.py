"""What postmap is asked, in rows: one list for each type of table, in CASES.

A Case has a source and calls, one after the other in one directory; a call is words of postmap's
command line, in which {t} is the table ("hash:t"), put at the end where it is not named, and maybe
an edit of the source before it and standard input. Output and whether the call failed must equal
those of Debian's postmap. Where they differ on purpose the case's name is in DIFFERENCES.
"""

import dataclasses


@dataclasses.dataclass
class Call:
    words: str  # split at white space
    stdin: bytes = b''
    source: bytes = None  # written before the call


@dataclasses.dataclass
class Case:
    name: str
    source: bytes  # None: there is none
    calls: tuple
    files: dict = dataclasses.field(default_factory=dict)


def queries(*keys):
    return tuple(Call('-q -', key + b'\n') for key in keys)


# Read and looked up in, by whatever has "key value" lines.
LINES = (
    Case('plain', b'a one\nb two\n', queries(b'a', b'b', b'c', b'a\nc\nb')),
    Case('folded', b'Joe@Example.ORG x\n', queries(b'joe@example.org', b'JOE@EXAMPLE.ORG')),
    Case('white-space', b'a \t one  two \t\nb\tx\n', queries(b'a', b'b')),
    Case('continued', b'a one\n two\n\tthree\nb x\n', queries(b'a', b'b', b'two')),
    Case('comments', b'# c\na one\n# c\n two\n\n   \n  # c\nb # x\n', queries(b'a', b'b', b'#')),
    Case('colon', b'a: one\n', queries(b'a', b'a:')),
    Case('quoted', b'"b c" one\n"john doe"@x.example two\n',
         queries(b'"b c"', b'b c', b'"john doe"@x.example', b'john doe@x.example')),
    Case('quoted-backslash', b'"a\\"b" one\nc\\ d two\n"" three\n',
         queries(b'"a\\"b"', b'a"b', b'c\\ d', b'c d', b'""')),
    Case('no-newline', b'a one\nb two', queries(b'b')),
    Case('empty', b'', queries(b'a')),
    # A key of lmdb has at most 511 bytes.
    Case('long', b'k' * 500 + b' ' + b'v' * 60000 + b'\n', queries(b'k' * 500, b'k' * 499)),
    Case('utf8', '\u00e4 \u20ac\nk \u00df\n'.encode(), queries('\u00e4'.encode(), b'k')),
    Case('bytes-asked', b'k v\n', queries(b'\xe4', b'\xe4\nk')),
    Case('keys-of-64k', b'k v\n', queries(b'k' * 65536 + b'\nk')),
    Case('nothing-asked', b'k v\n', queries(b'')),
    Case('one-key', b'k v w\n', (Call('-q k'), Call('-q K'), Call('-q none'))),
    Case('two-tables', b'k v\n', (Call('-q k {t} static:x'), Call('-q none {t} static:x'),
                                  Call('-q k static:x {t}'))),
    Case('no-source', None, (Call('-q k'),)),
    Case('no-value', b'a one\nb\n', queries(b'a', b'b')),
    Case('begins-with-space', b' x y\na one\n', queries(b'a', b'x')),
    Case('open-quote', b'"a b\nc one\n', queries(b'c')),
    Case('not-utf8', b'a one\nb \xe4\n', queries(b'a', b'b')),
    Case('duplicates', b'a one\nA two\n', queries(b'a')),
    Case('listed', b'b two\na one\n"c d" e\n', (Call('-s'),)),
)

BUILD = (Call(''),)


def built(case):
    """The same with an index, which Postfix has to be told to make."""
    return dataclasses.replace(case, calls=BUILD * (case.source is not None) + case.calls)


INDEXED = (
    *map(built, LINES),
    Case('duplicates-replaced', b'a one\na two\n', (Call('-r'), Call('-q a'))),
    Case('duplicates-ignored', b'a one\na two\n', (Call('-w'), Call('-q a'))),
    Case('added', b'a one\nb two\n', (
        Call(''), Call('-i', b'C three\nb other\n'), Call('-s'), Call('-q c'), Call('-q b'))),
    Case('added-replacing', b'a one\n', (Call(''), Call('-i -r', b'a x\nb y\n'), Call('-s'))),
    Case('added-ignoring', b'a one\n', (Call(''), Call('-i -w', b'a x\nb y\n'), Call('-s'))),
    Case('added-without-source', None, (
        Call('-i', b'a one\n'), Call('-q a'), Call('-i', b'b two\n'), Call('-s'), Call('-d a'),
        Call('-s'))),
    Case('added-then-built', b'a one\n', (
        Call(''), Call('-i', b'b two\n'), Call('', source=b'a three\n'), Call('-s'))),
    Case('added-malformed', b'a one\n', (Call(''), Call('-i', b'b two\nc\n'), Call('-s'))),
    Case('removed', b'a one\nb two\n', (
        Call(''), Call('-d A'), Call('-d a'), Call('-q a'), Call('-s'))),
    Case('removed-many', b'a one\nb two\nc three\n', (
        Call(''), Call('-d -', b'a\nnone\nc\n'), Call('-s'), Call('-d -', b'none\n'))),
    Case('removed-quoted', b'"a b" one\n', (
        Call(''), Call('-d -', b'a b\n'), Call('-d -', b'"a b"\n'), Call('-s'))),
    Case('unfolded', b'A one\na two\n', (
        Call('-f'), Call('-s'), Call('-q A'), Call('-f -q A'), Call('-f -q a'), Call('-f -d A'),
        Call('-s'))),
    Case('any-bytes', b'\xe4 one\nb \xe4\n', (
        Call('-u'), Call('-s'), Call('-u -q b'), Call('-u -q -', b'\xe4\n'),
        Call('-q -', b'\xe4\n'))),
    Case('files', b'a {d}/one {d}/two\nb {d}/one, {d}/one\n', (
        Call('-F'), Call('-s'), Call('-F -s'), Call('-F -q a'), Call('-q a'), Call(''),
        Call('-F -q a')), {'one': b'foo\n', 'two': b'bar'}),
    Case('files-missing', b'a {d}/one\nb {d}/two\n', (Call('-F'), Call('-s')), {'one': b'x'}),
    Case('no-effect', b'a one\n', (Call('-N -n -o -p'), Call('-q a'))),
    Case('together', b'a one\n', (
        Call(''), Call('-s -q a'), Call('-d a -q a'), Call('-h -q a'), Call('-b'), Call('-m -s'),
        Call('-i -q a'), Call('-s'))),
)

MAIL = (b'Received: from x\n\tby y\nSubject: hello\nContent-Type: multipart/mixed; boundary=b1\n\n'
        b'preamble\n--b1\nContent-Type: message/rfc822\n\nSubject: nested\n'
        b'Content-Type: multipart/digest; boundary="b 2"\n\n--b 2\n\nX: y\n\ntext\n--b 2--\n'
        b'--b1\nno header\n--b1--\nend: x\n')

# Which keys there are is seen best where each has a value.
STATIC = (
    Case('keys', None, queries(b'a', b'a b', b'')),
    Case('headers', None, (Call('-h -q -', MAIL), Call('-hm -q -', MAIL))),
    Case('bodies', None, (Call('-b -q -', MAIL), Call('-bm -q -', MAIL))),
    Case('headers-and-bodies', None, (Call('-hb -q -', MAIL), Call('-hbm -q -', MAIL))),
    Case('no-headers', None, tuple(Call(f'{words} -q -', b'From a b\nX: y\n\nbody\n')
                                   for words in ('-h', '-b', '-hb', '-hbm'))),
    Case('bytes-of-a-message', None, (Call('-b -q -', b'\n\xe4\nx\n'),
                                      Call('-U -b -q -', b'\n\xe4\nx\n'))),
)

# {type: (what follows "type:", rows)}; {d} in either is the case's directory.
CASES = {
    'hash': ('{d}/t', INDEXED),
    'lmdb': ('{d}/t', INDEXED),
    'texthash': ('{d}/t', LINES),
    'static': ('found', STATIC),
}

MALFORMED = 'A line that is none makes the whole source an error; Postfix leaves it out.'

# {name of a case: reason}. One that is none any more is a failure.
DIFFERENCES = {
    'no-value': MALFORMED,
    'begins-with-space': MALFORMED,
    'open-quote': MALFORMED,
    'not-utf8': MALFORMED,
    'added-malformed': MALFORMED,
    'files-missing': MALFORMED,
}
