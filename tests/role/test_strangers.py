"""What a stranger, or a role taken over by one, may send to each socket of unitpost: the service
lives, no worker crashes, no descriptor stays open, and mail goes through as before."""

import os
import random
import socket
import time
import unittest

import harness
from harness import Peer, World
from probe import mutate, suppress_broken

ID = '0123456789ABCDEF0123'


def message(name, **attributes):
    return harness.frame(b'M', harness.message(
        name, {key.replace('_', '-'): value for key, value in attributes.items()}))


END = harness.frame(b'E', b'')
MAIL = message('envelope', arrival=1700000000000000, queue_id='', sender='alice', full_name='',
               envid='', uid=4201, flags=0, ret=0) \
    + message('recipient', address='nobody-here', original='', orcpt='', notify=0) \
    + harness.frame(b'D', b'Subject: from a stranger\n\nbody\n') + END
DELIVERY = message('delivery', queue_id=ID, nexthop='here', sender='', arrival=1, active=1,
                   content_offset=64, content_size=100, flags=0) \
    + message('delivery-recipient', handle=1, address='bob', original='', orcpt='', notify=0) + END
NOTICE = message('notice', queue_id=ID, kind='failure', code='', text='') + END
LIST = message('showq-request', verb='list', queue_id='') + END
INDEX = message('tables-request', source='/etc/passwd', syntax='aliases', mode='refresh',
                rules=0) + END

# A right request of each stream socket. Those with a descriptor get a file that is no queue file.
REQUESTS = {'postdrop': MAIL, 'cleanup': MAIL, 'local': DELIVERY, 'error': DELIVERY,
            'bounce': NOTICE, 'showq': LIST, 'tables': INDEX}
WITH_DESCRIPTOR = ('local', 'error', 'bounce')


class Strangers(unittest.TestCase):
    def setUp(self):
        random.seed(7)

    def connect(self, role):
        return Peer(f'/run/unitpost/{role}', role, 5)

    def exchange(self, role, data, fds=()):
        """Send, close the sending side, take whatever comes."""
        with suppress_broken(), self.connect(role) as peer:
            peer.send_raw(data[:1], fds)
            peer.send_raw(data[1:])
            peer.socket.shutdown(socket.SHUT_WR)
            while True:
                peer.receive()

    def check(self, world, role):
        """All is as it was."""
        self.assertEqual(world.journal(MESSAGE='worker .* (was killed|ended)'), [])
        self.assertEqual(world.journal(MESSAGE='time limit|more than'), [])
        for pid in world.workers(f'unitpost-{role}'):
            self.assertLess(len(os.listdir(f'/proc/{pid}/fd')), 24)
        self.assertEqual(world.exits(f'unitpost-{role}'), [])
        n = len(world.mailbox('bob'))
        world.send('alice', 'bob', b'Subject: after it\n\nall is well\n')
        world.wait(lambda: len(world.mailbox('bob')) > n, 'mail goes through')

    def try_role(self, role):
        request = REQUESTS[role]
        with World(main_cf='max_idle = 60s\nmyhostname = here.example\n') as world, \
                open('/etc/passwd', 'rb') as file:
            fds = [file.fileno()] if role in WITH_DESCRIPTOR else []
            for _ in range(60):
                self.exchange(role, random.randbytes(random.randrange(1, 2000)))
                self.exchange(role, mutate(request), fds)
                cut = random.randrange(1, len(request))
                self.exchange(role, request[:cut], fds)
            self.exchange(role, harness.frame(b'D', b'x' * 65536) * 20)
            self.exchange(role, b'M\0\1\0\1' + b'x' * 70000)
            self.exchange(role, request, fds)
            for n in (1, 2, 30, 253):
                self.exchange(role, request, [file.fileno()] * n)
            self.check(world, role)

    def test_postdrop(self):
        self.try_role('postdrop')

    def test_cleanup(self):
        self.try_role('cleanup')

    def test_local(self):
        self.try_role('local')

    def test_error(self):
        self.try_role('error')

    def test_bounce(self):
        self.try_role('bounce')

    def test_showq(self):
        self.try_role('showq')

    def test_tables(self):
        self.try_role('tables')

    def test_qmgr(self):
        with World(main_cf='max_idle = 60s\nmyhostname = here.example\n') as world:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
                one.connect('/run/unitpost/qmgr')
                for _ in range(300):
                    one.send(random.randbytes(random.randrange(0, 100)))
                    one.send(mutate(b'I' + ID.encode()))
                one.send(b'W' * 60000)
                one.send(b'I../../../../etc/passwd')
                for letter in (b'I', b'O'):
                    one.send(letter + ID.encode())
                socket.send_fds(one, [b'W'], [0] * 250)
            self.check(world, 'qmgr')
            self.assertLess(len(os.listdir(f"/proc/{world.pids['unitpost-qmgr']}/fd")), 40)

    def test_half_open_connections_to_every_socket(self):
        with World(main_cf='max_idle = 60s\nmyhostname = here.example\n') as world:
            held = [self.connect(role) for role in REQUESTS
                    for _ in range(10 if role == 'tables' else 15)]  # its limit
            for peer in held[::2]:
                peer.send_raw(b'M\0\0')
            start = time.monotonic()
            world.send('alice', 'bob', b'Subject: meanwhile\n\nhello\n')
            world.wait(lambda: world.mailbox('bob'), 'mail goes through meanwhile', 5)
            self.assertLess(time.monotonic() - start, 5)
            for peer in held:
                peer.close()
            self.assertEqual(world.journal(MESSAGE='worker .* (was killed|ended)'), [])

    def test_users_reach_only_what_is_for_them(self):
        with World(main_cf='max_idle = 60s\n') as world:
            for role in (*REQUESTS, 'qmgr'):
                kind = socket.SOCK_DGRAM if role == 'qmgr' else socket.SOCK_STREAM
                code = 'import socket, sys\n' \
                       f'one = socket.socket(socket.AF_UNIX, {int(kind)})\n' \
                       f'one.connect("/run/unitpost/{role}")\n'
                done = world.run_as('alice', ['/usr/bin/python3', '-c', code])
                self.assertEqual(done.returncode == 0, role in ('postdrop', 'showq', 'tables'),
                                 role)
                if done.returncode != 0:
                    self.assertIn(b'PermissionError', done.stderr)


if __name__ == '__main__':
    unittest.main(verbosity=2)
