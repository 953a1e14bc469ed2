"""Notices as people and their programs get them: by mail through all roles, taken apart by Python's
email package, and asked for directly as local asks for them."""

import contextlib
import email
import email.policy
import email.utils
import mailbox
import os
import re
import subprocess
import time
import unittest

from harness import Peer, World, split

MAIN_CF = 'myhostname = mx.example.org\nmyorigin = example.org\nmydestination = example.org\n'

# Mail for elsewhere waits, and is late at once.
LATE_CF = MAIN_CF + 'default_transport = nowhere:\ndelay_warning_time = 1s\n'


def notice_of(world, user='alice', n=1, seconds=30):
    """The n-th mail of a user, parsed."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(mailbox.NoSuchMailboxError):
            found = split(user)
            if len(found) >= n:
                return email.message_from_bytes(found[n - 1], policy=email.policy.default)
        time.sleep(0.05)
    raise AssertionError(f'no notice: {world.journal(PRIORITY="[0-6]")[-10:]}')


def parts(notice):
    """What RFC 6522 says of any notice; (text, fields of the message, of each recipient, what is
    returned)."""
    assert notice.get_content_type() == 'multipart/report'
    assert notice.get_param('report-type') == 'delivery-status'
    assert notice['Auto-Submitted'] == 'auto-replied'
    assert 'MAILER-DAEMON@mx.example.org' in notice['From']
    for name in ('Date', 'Message-ID', 'From', 'To', 'Subject', 'MIME-Version'):
        assert len(notice.get_all(name)) == 1, name
    assert notice.defects == [], notice.defects
    text, status, original = notice.iter_parts()
    assert text.get_content_type() == 'text/plain'
    assert status.get_content_type() == 'message/delivery-status'
    for part in (text, status, original):
        assert part.defects == [], part.defects
    message, *recipients = status.get_payload()
    assert message['Reporting-MTA'] == 'dns; mx.example.org'
    assert email.utils.parsedate_to_datetime(message['Arrival-Date'])
    return text.get_content(), message, recipients, original


def wait_for_removal(world, n):
    world.wait_for_entry(seconds=30, n=n, MESSAGE=': removed$')


def left_in_queue(world):
    return [name for queue in ('incoming', 'active', 'deferred')
            for name in world.queue(queue) if name != '.lock']


class Failure(unittest.TestCase):
    def test_a_notice_by_mail_is_what_rfc_3464_says(self):
        with World(main_cf=MAIN_CF) as world:
            world.send('alice', ['nobody-here', 'bob', 'x@elsewhere.test'],
                       b'Subject: hello\nFrom: alice\n\nThe body.\nFrom here\n', ['-V', 'id=1'])
            notice = notice_of(world)
            self.assertEqual(notice['To'], 'alice@example.org')
            self.assertEqual(notice['Subject'], 'Undelivered Mail Returned to Sender')
            self.assertEqual(notice['Return-Path'], '<>')
            self.assertNotIn('References', notice)
            text, message, recipients, original = parts(notice)
            self.assertIn('<nobody-here@example.org>', text)
            self.assertIn('unknown user: "nobody-here"', text)
            self.assertNotIn('<bob', text)
            self.assertEqual(message['X-Unitpost-Sender'], 'rfc822; alice@example.org')
            self.assertEqual(message['Original-Envelope-Id'], 'id=1')
            found = {one['Final-Recipient']: (one['Action'], one['Status']) for one in recipients}
            self.assertEqual(found, {
                'rfc822; nobody-here@example.org': ('failed', '5.1.1'),
                'rfc822; x@elsewhere.test': ('failed', '5.1.2')})
            self.assertIn('unknown user', recipients[0]['Diagnostic-Code'])
            self.assertEqual(original.get_content_type(), 'message/rfc822')
            returned = original.get_payload(0)
            self.assertEqual(returned['Subject'], 'hello')
            self.assertIn('The body.', returned.get_payload())
            entry = world.wait_for_entry(MESSAGE=': sender non-delivery notification: ')
            one, other = re.fullmatch(r'([0-9A-F]+): sender non-delivery notification: '
                                      r'([0-9A-F]+)', entry['MESSAGE']).groups()
            self.assertEqual(entry['UNITPOST_QUEUE_ID'], one)
            world.wait_for_entry(MESSAGE=f'^{other}: to=<alice@example.org>, .*status=sent')
            world.wait_for_entry(MESSAGE=f'^{one}: removed$')
            world.wait_for_entry(MESSAGE=f'^{other}: removed$')

    def test_no_notice_about_a_notice(self):
        """XP4: the sender does not exist either; by default the chain ends at once."""
        with World() as world:
            world.send('alice', 'nobody-here', b'Subject: x\n\n', ['-f', 'nor-this'])
            world.wait_for_entry(MESSAGE=r': to=<nor-this@.*status=bounced')
            world.wait_for_entry(MESSAGE=': removed$', n=2)
            self.assertEqual(len(world.journal(MESSAGE='non-delivery notification')), 1)
            self.assertEqual(left_in_queue(world), [])

    def test_the_postmaster_hears_of_it_once_when_asked_for(self):
        with World(main_cf='notify_classes = 2bounce\n2bounce_notice_recipient = carol\n') as world:
            world.send('alice', 'nobody-here', b'Subject: x\n\n', ['-f', 'nor-this'])
            notice = notice_of(world, 'carol')
            self.assertEqual(notice['Subject'], 'Postmaster Copy: Undelivered Mail')
            self.assertTrue(notice['Return-Path'].startswith('<double-bounce@'))
            inner = list(notice.iter_parts())[2].get_payload(0)
            self.assertEqual(inner.get_content_type(), 'multipart/report')

        with World(main_cf='notify_classes = 2bounce\n'
                           '2bounce_notice_recipient = nobody-at-all\n') as world:
            world.send('alice', 'nobody-here', b'Subject: x\n\n', ['-f', 'nor-this'])
            world.wait_for_entry(MESSAGE='undeliverable postmaster notification discarded')
            world.wait_for_entry(MESSAGE=': removed$', n=3)

    def test_eight_bit_mail_is_returned_unchanged(self):
        content = 'Subject: hello\n\nGrüße\n'.encode()
        with World() as world:
            world.send('alice', 'nobody-here', content)
            notice = notice_of(world)
            self.assertEqual(notice['Content-Transfer-Encoding'], '8bit')
            self.assertIn('Grüße'.encode(), split('alice')[0])

    def test_who_wants_no_notice_gets_none(self):
        """sendmail -N, RFC 3461 4.1."""
        with World(main_cf=MAIN_CF) as world:
            for wish in ('never', 'delay'):
                world.send('alice', 'nobody-here', b'Subject: x\n\n', ['-N', wish])
            wait_for_removal(world, 2)
            world.send('alice', 'nobody-here', b'Subject: x\n\n', ['-N', 'delay,failure'])
            notice_of(world)
            wait_for_removal(world, 4)
            self.assertEqual(len(split('alice')), 1)
            self.assertEqual(left_in_queue(world), [])

    def test_headers_only(self):
        """sendmail -R hdrs, RFC 3461 4.3."""
        with World(main_cf=MAIN_CF) as world:
            world.send('alice', 'nobody-here', b'Subject: hello\n\nThe secret.\n', ['-R', 'hdrs'])
            _, _, _, original = parts(notice_of(world))
            self.assertEqual(original.get_content_type(), 'text/rfc822-headers')
            self.assertIn('Subject: hello', original.get_content())
            self.assertNotIn(b'secret', split('alice')[0])

    def test_ten_megabytes_come_back_as_a_header_or_whole(self):
        """bounce_size_limit, and a quarter of message_size_limit, bound what is returned."""
        content = b'Subject: large\n\n' + b'0123456789abcdef\n' * 588000
        with World(main_cf=MAIN_CF) as world:
            world.send('alice', 'nobody-here', content)
            _, _, _, original = parts(notice_of(world))
            self.assertEqual(original.get_content_type(), 'text/rfc822-headers')
            self.assertLess(len(split('alice')[0]), 5000)
        with World(main_cf=MAIN_CF + 'message_size_limit = 0\nbounce_size_limit = 20000000\n'
                   ) as world:
            world.send('alice', 'nobody-here', content)
            _, _, _, original = parts(notice_of(world))
            returned = original.get_payload(0)
            self.assertEqual(returned['Subject'], 'large')
            self.assertEqual(len(returned.get_payload()), 17 * 588000)

    def test_the_postmaster_gets_a_copy_when_asked_for(self):
        more = 'notify_classes = bounce\nbounce_notice_recipient = carol\n'
        with World(main_cf=MAIN_CF + more) as world:
            world.send('alice', 'nobody-here', b'Subject: hello\n\nThe secret.\n')
            notice_of(world)
            copy = notice_of(world, 'carol')
            self.assertEqual(copy['Subject'], 'Postmaster Copy: Undelivered Mail')
            self.assertEqual(copy['Return-Path'], '<double-bounce@example.org>')
            _, message, recipients, original = parts(copy)
            self.assertEqual(message['X-Unitpost-Sender'], 'rfc822; alice@example.org')
            self.assertEqual(recipients[0]['Action'], 'failed')
            self.assertEqual(original.get_content_type(), 'text/rfc822-headers')
            self.assertNotIn(b'secret', split('carol')[0])
            world.wait_for_entry(MESSAGE=': postmaster non-delivery notification: ')

    def test_a_threaded_notice_answers_the_message(self):
        with World(main_cf=MAIN_CF + 'enable_threaded_bounces = yes\n') as world:
            world.send('alice', 'nobody-here', b'Message-ID: <1@x>\nSubject: x\n\n')
            notice = notice_of(world)
            parts(notice)
            self.assertEqual(notice['In-Reply-To'], '<1@x>')
            self.assertEqual(notice['References'], '<1@x>')

    def test_what_expired_is_returned_with_what_it_waited_for(self):
        with World(main_cf=MAIN_CF + 'default_transport = nowhere:\n'
                           'maximal_queue_lifetime = 1s\n') as world:
            world.send('alice', 'x@elsewhere.test', b'Subject: x\n\n')
            world.wait_for_entry(MESSAGE='to=<x@elsewhere.test>, .*status=deferred')
            flush_when_old(world)
            world.wait_for_entry(MESSAGE='status=expired, returned to sender')
            text, _, recipients, _ = parts(notice_of(world))
            self.assertIn('transport unavailable', text)
            self.assertEqual(recipients[0]['Action'], 'failed')
            self.assertTrue(recipients[0]['Status'].startswith('4.'))
            self.assertIn('transport unavailable', recipients[0]['Diagnostic-Code'])


def flush(world):
    done = world.run_as('alice', [world.tool('postqueue'), '-f'])
    assert done.returncode == 0, done.stderr


def flush_when_old(world):
    """One more attempt when what is deferred is older than a second."""
    world.wait(lambda: left_in_queue(world) == world.queue('deferred'), 'all is deferred')
    time.sleep(1.1)
    flush(world)


class Delay(unittest.TestCase):
    DEFERRED = 'to=<x@elsewhere.test>, .*status=deferred'

    def test_a_delay_is_told_of_once(self):
        with World(main_cf=LATE_CF) as world:
            world.send('alice', 'x@elsewhere.test', b'Subject: hello\n\nThe secret.\n')
            world.wait_for_entry(MESSAGE=self.DEFERRED)
            flush_when_old(world)
            notice = notice_of(world)
            self.assertEqual(notice['Subject'], 'Delayed Mail: Still Being Tried')
            self.assertEqual(notice['Return-Path'], '<>')
            text, message, recipients, original = parts(notice)
            self.assertIn('<x@elsewhere.test>', text)
            self.assertEqual(recipients[0]['Action'], 'delayed')
            self.assertTrue(recipients[0]['Status'].startswith('4.'))
            self.assertIn('transport unavailable', recipients[0]['Diagnostic-Code'])
            arrival, attempt, until = (
                email.utils.parsedate_to_datetime(value) for value in (
                    message['Arrival-Date'], recipients[0]['Last-Attempt-Date'],
                    recipients[0]['Will-Retry-Until']))
            self.assertEqual((until - arrival).days, 5)
            self.assertGreaterEqual((attempt - arrival).total_seconds(), 1)
            self.assertEqual(original.get_content_type(), 'text/rfc822-headers')
            self.assertNotIn(b'secret', split('alice')[0])
            one = world.queue('deferred')[0]
            world.wait_for_entry(MESSAGE=f'^{one}: sender delay notification: [0-9A-F]+$',
                                 UNITPOST_QUEUE_ID=one)
            for n in (3, 4):
                flush_when_old(world)
                world.wait_for_entry(MESSAGE=self.DEFERRED, n=n)
                if n == 3:
                    world.stop()
                    world.start()
            self.assertEqual(len(split('alice')), 1)
            self.assertEqual(len(world.journal(MESSAGE='delay notification')), 1)

    def test_a_dead_bounce_holds_up_nothing_and_is_asked_again(self):
        with World(main_cf=LATE_CF) as world:
            world.stop()
            world.roles = ['postdrop', 'pickup', 'cleanup', 'qmgr', 'local', 'showq']
            world.start()
            world.send('alice', 'x@elsewhere.test', b'Subject: x\n\n')
            for n in (1, 2, 3):
                world.wait_for_entry(MESSAGE=self.DEFERRED, n=n)
                world.wait(lambda: world.queue('deferred'), 'it is deferred')
                flush_when_old(world)
            world.send('alice', 'bob', b'Subject: x\n\n')
            world.wait(lambda: world.mailbox('bob'), 'other mail flows')
            world.stop()
            world.roles = None
            world.start()
            flush_when_old(world)
            self.assertEqual(notice_of(world)['Subject'], 'Delayed Mail: Still Being Tried')

    def test_nobody_hears_who_wants_nothing_or_is_nobody(self):
        with World(main_cf=LATE_CF) as world:
            world.send('alice', 'x@elsewhere.test', b'Subject: x\n\n', ['-N', 'never'])
            world.send('alice', 'x@elsewhere.test', b'Subject: x\n\n', ['-N', 'failure'])
            world.send('alice', 'x@elsewhere.test', b'Subject: x\n\n', ['-f', ''])
            world.wait_for_entry(n=3, MESSAGE=self.DEFERRED)
            flush_when_old(world)
            world.wait_for_entry(n=6, MESSAGE=self.DEFERRED)
            world.wait(lambda: len(world.queue('deferred')) == 3, 'they are deferred again')
            self.assertEqual(world.journal(MESSAGE='notification'), [])
            self.assertEqual(world.mailbox('alice'), b'')


class One(unittest.TestCase):
    """What local asks for: one recipient of an alias has failed."""

    def ask(self, world, **fields):
        request = {'queue-id': world.queue('deferred')[0], 'kind': 'one', 'code': '5.3.0',
                   'text': 'Command died with status 1', 'recipient': '|false',
                   'original': 'list@example.org', 'orcpt': 'rfc822;list@example.org',
                   'sender': 'carol@example.org', 'notify': 0} | fields
        fd = os.open(next(os.path.join(top, request['queue-id'])
                          for top, _, names in os.walk('/var/spool/unitpost/deferred')
                          if request['queue-id'] in names), os.O_RDONLY)
        try:
            with Peer('/run/unitpost/bounce', 'bounce', 60) as peer:
                peer.send_message('notice', request, [fd])
                peer.send_end()
                (name, answer), = peer.receive_answer()
        finally:
            os.close(fd)
        self.assertEqual(name, 'notice-result')
        self.assertEqual(answer['ok'], '1')
        return answer['notice-id']

    def test_the_owner_is_told_in_the_place_of_the_sender(self):
        with World(main_cf=LATE_CF) as world:
            world.send('alice', 'x@elsewhere.test', b'Subject: hello\n\nThe body.\n')
            world.wait(lambda: world.queue('deferred'), 'it is deferred')
            self.assertEqual(self.ask(world, notify=1), '')
            self.assertNotEqual(self.ask(world), '')
            notice = notice_of(world, 'carol')
            self.assertEqual(notice['To'], 'carol@example.org')
            self.assertEqual(notice['Return-Path'], '<>')
            text, message, recipients, original = parts(notice)
            self.assertIn('<|false> (sent to list@example.org): Command died', text)
            self.assertEqual(message['X-Unitpost-Sender'], 'rfc822; alice@example.org')
            self.assertEqual(len(recipients), 1)
            self.assertEqual(recipients[0]['Original-Recipient'], 'rfc822; list@example.org')
            self.assertEqual(recipients[0]['Final-Recipient'], 'rfc822; |false')
            self.assertEqual(recipients[0]['Status'], '5.3.0')
            self.assertIn('The body.', original.get_payload(0).get_payload())
            self.assertEqual(world.mailbox('alice'), b'')

    def test_the_null_sender_makes_no_owner_hear(self):
        with World(main_cf=LATE_CF) as world:
            world.send('alice', 'x@elsewhere.test', b'Subject: hello\n\n', ['-f', ''])
            world.wait(lambda: world.queue('deferred'), 'it is deferred')
            self.assertEqual(self.ask(world), '')
            self.assertEqual(world.mailbox('carol'), b'')

    def test_root_without_the_right_to_pass_file_modes_can_ask(self):
        """As local is: the socket's group lets it in."""
        script = ('import socket\ns = socket.socket(socket.AF_UNIX)\n'
                  's.connect("/run/unitpost/bounce")\ns.settimeout(5)\nprint(s.recv(100))\n')
        with World(roles=['bounce']):
            done = subprocess.run(['setpriv', '--bounding-set=-dac_override,-dac_read_search',
                                   '/usr/bin/python3', '-c', script], capture_output=True,
                                  check=False, timeout=30)
            self.assertIn(b'bounce', done.stdout, done)


if __name__ == '__main__':
    unittest.main(verbosity=2)
