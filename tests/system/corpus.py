"""Messages that have broken mail systems, and a check that one arrived byte for byte.

    for name, body in corpus.bodies():
        ... send corpus.message(name, body) ...
    problems = corpus.check_mbox(data, sent)       # sent: {name: body}
    problems = corpus.check_maildir(path, sent)

An mbox is split by Python's mailbox module, which is no relative of ours. In it a line of a body
that begins with "From " has got a ">", and nothing else has (that is mboxo: a line that had its
own ">From " is not told apart from one that got it, so each ">From " here may stand for both);
a message ends in a newline of its own and an empty line of the format. In a Maildir there is
nothing of all that. No body has NUL or a CR: what becomes of those is cleanup's business.
"""

import mailbox
import os
import pathlib
import re
import tempfile

NAME_FIELD = b'X-Corpus'
BIG = 10_000_000
ALL_BYTES = bytes(n for n in range(1, 256) if n not in b'\r\n')


def bodies(big=BIG):
    """[(name, body)], lines ended by a newline as a program on this machine writes them. BIG: how
    many bytes the largest has; message_size_limit is 10,240,000."""
    line = b'0123456789' * 7 + b'\n'
    return [
        ('plain', b'One line.\n'),
        ('empty', b''),
        ('only-newline', b'\n'),
        ('empty-lines-at-the-end', b'text\n\n\n\n'),
        ('empty-lines-at-the-start', b'\n\n\ntext\n'),
        ('no-final-newline', b'no newline at the end'),
        ('no-final-newline-8-bit', 'k\u00f6nnte'.encode()),
        ('utf-8', 'Gr\u00fc\u00dfe, \u4f60\u597d, \U0001f4ec\n'.encode()),
        ('latin-1', 'Gr\u00fc\u00dfe'.encode('latin-1') + b'\n'),
        ('every-byte', b''.join(bytes([byte]) + b'\n' for byte in ALL_BYTES) + ALL_BYTES + b'\n'),
        ('control-bytes', b'tab\t bell\a escape\x1b[31m delete\x7f\n'),
        ('dots', b'.\n..\n...\n.text\ntext.\n \n.\n'),
        ('dot-at-the-end', b'text\n.'),
        ('from-lines', b'From here\n\nFrom there Tue Nov 24 12:00:00 2026\n'
                       b'From\nfrom x\n From x\n'),
        ('from-first', b'From alice@example.org Tue Nov 24 12:00:00 2026\nSubject: inner\n\nx\n'),
        ('from-last', b'text\n\nFrom '),
        ('quoted-from-lines', b'>From here\n>>From there\n>>>From\n> From\n'),
        ('line-998', b'x' * 998 + b'\n'),
        ('line-999', b'y' * 999 + b'\nshort\n'),
        ('line-1000-8-bit', '\u00fc'.encode() * 500 + b'\n'),
        ('line-2048', b'z' * 2047 + b'\n' + b'z' * 2048 + b'\n' + b'z' * 2049 + b'\n'),
        ('line-64-kib', b'w' * 65536 + b'\n' + b'.' * 65537 + b'\n'),
        ('line-1-mb', b'v' * 1_000_000 + b'\nshort\n'),
        ('long-line-from', b'u' * 4095 + b'From x\n' + b'u' * 4096 + b'From x\n'),
        ('looks-like-header', b'Subject: not one\nDelivered-To: nobody@example.org\n\nbody\n'),
        ('trailing-blanks', b'text  \n\t\n  \n'),
        ('big', line * (big // len(line))),
        ('big-line', b't' * (big // 2)),
    ]


def message(name, body):
    """A whole message, with all fields that a mail system would add otherwise."""
    return _head(name) + b'\n' + body


def _head(name):
    head = (f'From: sender@example.org\nTo: someone@example.org\nSubject: corpus {name}\n'
            f'Date: Tue, 24 Nov 2026 12:00:00 +0000\nMessage-ID: <{name}@corpus.example.org>\n'
            f'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n'
            f'Content-Transfer-Encoding: 8bit\n{NAME_FIELD.decode()}: {name}\n')
    return head.encode()


def _split(data):
    """Name in the corpus, head and body of a message as it stands in a mailbox."""
    head, _, body = data.partition(b'\n\n')
    found = re.search(rb'(?m)^' + NAME_FIELD + rb': *(\S+)', head + b'\n')
    return (found[1].decode() if found else '?'), head + b'\n', body


def _with_newline(body):
    return body if not body or body.endswith(b'\n') else body + b'\n'


def quote_mboxo(body):
    return re.sub(rb'(?m)^From ', b'>From ', body)


def _describe(expected, got):
    at = next((n for n, (a, b) in enumerate(zip(expected, got)) if a != b),
              min(len(expected), len(got)))
    return (f'{len(got)} bytes instead of {len(expected)}, different from byte {at}: '
            f'{got[max(at - 20, 0):at + 20]!r} instead of {expected[max(at - 20, 0):at + 20]!r}')


def _compare(arrived, sent, wanted):
    """ARRIVED: [(name, head, body)]. WANTED(body): what should be there for a body that was
    sent."""
    problems = []
    names = [name for name, _, _ in arrived]
    for name in sorted(set(names) - set(sent)):
        problems.append(f'{name}: nobody sent that')
    for name, body in sent.items():
        if names.count(name) != 1:
            problems.append(f'{name}: arrived {names.count(name)} times')
            continue
        head, got = next(row[1:] for row in arrived if row[0] == name)
        # A mail system writes its own fields above those that it was given.
        if not head.endswith(_head(name)):
            problems.append(f'{name}: another head: {head!r}')
        if got != wanted(body):
            problems.append(f'{name}: {_describe(wanted(body), got)}')
    return problems


def check_mbox(data, sent):
    """What is wrong with DATA, the bytes of an mbox file, as lines of text; none when each of
    SENT, {name: body}, is in it once and whole."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, 'mbox')
        path.write_bytes(data)
        box = mailbox.mbox(path, create=False)
        arrived = [_split(box.get_bytes(key)) for key in box.iterkeys()]
        box.close()
    problems = _compare(arrived, sent, lambda body: quote_mboxo(_with_newline(body)))
    # The module takes the empty line between messages away without looking; other readers do not.
    if data and not data.endswith(b'\n\n'):
        problems.append('the mailbox does not end in an empty line')
    for place in re.finditer(rb'(?m)^From ', data):
        if place.start() and data[place.start() - 2:place.start()] != b'\n\n':
            problems.append(f'no empty line before the From_ line at byte {place.start()}')
    return problems


def check_maildir(path, sent):
    """The same for a Maildir; PATH is a directory of this side."""
    problems = [f'{name}/ is missing' for name in ('cur', 'new', 'tmp')
                if not os.path.isdir(os.path.join(path, name))]
    if problems:
        return problems
    box = mailbox.Maildir(path, factory=None, create=False)
    arrived = [_split(box.get_bytes(key)) for key in box.iterkeys()]
    problems = _compare(arrived, sent, _with_newline)
    left = os.listdir(os.path.join(path, 'tmp'))
    if left:
        problems.append(f'left behind in tmp/: {" ".join(left)}')
    return problems


def check_message(data, sent):
    """The same for one message that a command or a client got: no From_ line, no quoting."""
    return _compare([_split(data)], sent, _with_newline)

