"""Addresses on their way through all roles: headers and envelope completed, virtual aliases,
automatic copies, address classes, and tables that do not answer."""

import glob
import os
import time
import unittest

import harness

TABLE = '/etc/unitpost/virtual'
SPOOL = '/var/spool/unitpost'


class RewriteTest(unittest.TestCase):
    main_cf = ('myhostname = host.example\nmyorigin = origin.example\n'
               'mydestination = host.example, origin.example\n')

    def start(self, *settings, table=''):
        """A world with SETTINGS; {T} in them is a texthash table with the text TABLE."""
        lines = ''.join(f'{line}\n' for line in settings).replace('{T}', f'texthash:{TABLE}')
        self.world = harness.World(main_cf=self.main_cf + lines)
        self.world.__enter__()
        self.addCleanup(self.world.__exit__, None, None, None)
        self.write_table(table)

    def write_table(self, text):
        with open(TABLE, 'w', encoding='ascii') as file:
            file.write(text)

    def send(self, recipients, header=b''):
        self.world.send('alice', recipients, header + b'Subject: x\n\nbody\n')

    def wait_for(self, n=1, **patterns):
        return self.world.wait_for_entry(n=n, **patterns)['MESSAGE']


class Envelope(RewriteTest):
    def test_names_in_headers_and_envelope_get_the_origin(self):
        self.start()
        self.send('bob', b'To: bob, "Carol, C." <carol> (x)\nCc: a@b.example\n')
        self.wait_for(MESSAGE='to=<bob@origin.example>, orig_to=<bob>.*status=sent')
        mailbox = self.world.mailbox('bob')
        self.assertIn(b'\nTo: bob@origin.example, "Carol, C." <carol@origin.example> (x)\n',
                      mailbox)
        self.assertIn(b'\nCc: a@b.example\n', mailbox)
        self.assertRegex(mailbox, rb'\nFrom: .*<?alice@origin.example>?\n')
        self.assertIn(b'\nX-Original-To: bob\n', mailbox)

    def test_a_route_through_this_machine_goes_where_it_leads(self):
        self.start()
        self.send(['bob%origin.example@host.example', 'origin.example!alice@host.example',
                   'bob@[127.0.0.1]'])
        self.wait_for(MESSAGE='to=<bob@origin.example>.*status=sent')
        self.wait_for(MESSAGE='to=<alice@origin.example>.*status=sent')
        self.wait_for(MESSAGE=r'to=<bob@\[127.0.0.1\]>.*status=sent')

    def test_what_can_be_no_domain_bounces(self):
        self.start()
        self.send('bob@nowhere..example')
        self.wait_for(MESSAGE='to=<bob@nowhere..example>.*dsn=5.1.3, status=bounced '
                              '.bad address syntax')


class Aliases(RewriteTest):
    def test_aliases_of_aliases_are_followed_and_the_first_name_is_kept(self):
        self.start('virtual_alias_maps = {T}', 'virtual_alias_domains = va.example',
                   'recipient_delimiter = +',
                   table='all@va.example one@va.example, alice\none@va.example bob@host.example\n')
        self.send('all@va.example')
        self.wait_for(MESSAGE='to=<bob@host.example>, orig_to=<all@va.example>.*status=sent')
        self.wait_for(MESSAGE='to=<alice@origin.example>, orig_to=<all@va.example>.*status=sent')
        self.assertIn(b'\nX-Original-To: all@va.example\n', self.world.mailbox('bob'))

    def test_what_is_no_alias_in_an_alias_domain_bounces(self):
        self.start('virtual_alias_maps = {T}', table='va.example -\nbob@va.example bob\n')
        self.send(['bob@va.example', 'carol@va.example'])
        self.wait_for(MESSAGE='to=<bob@origin.example>, orig_to=<bob@va.example>.*status=sent')
        self.wait_for(MESSAGE='to=<carol@va.example>.*dsn=5.1.1, status=bounced '
                              '.User unknown in virtual alias table')

    def test_a_circle_keeps_the_mail_until_it_is_cut(self):
        self.start('virtual_alias_maps = {T}', 'virtual_alias_recursion_limit = 10',
                   table='a b\nb a\n')
        self.send('a')
        line = self.wait_for(MESSAGE='unreasonable virtual_alias_maps map nesting')
        self.assertRegex(line, '^warning: [0-9A-F]+: .*nesting for a@origin.example -- message not '
                               'accepted, try again later$')
        self.assertEqual(len(self.world.queue('maildrop')), 1)
        time.sleep(1.1)  # a source is looked at once a second, and taken when it is that old
        self.write_table('a bob\n')
        self.world.wait_for_entry(seconds=90, MESSAGE='to=<bob@origin.example>.*status=sent')

    def test_a_table_that_does_not_answer_is_never_no_alias(self):
        self.start('virtual_alias_maps = {T}', table='a bob\n')
        os.unlink(TABLE)
        self.send('bob')
        line = self.wait_for(MESSAGE='virtual_alias_maps map lookup problem')
        self.assertIn(f'for bob@origin.example: texthash:{TABLE}: ', line)
        self.assertEqual(len(self.world.queue('maildrop')), 1)
        self.assertEqual(self.world.journal(MESSAGE='status='), [])


class Copies(RewriteTest):
    def test_copies_are_made_of_new_mail_only(self):
        self.start('always_bcc = alice', 'recipient_bcc_maps = inline:{bob@origin.example=root}')
        self.send(['bob', 'nobody-at-all'])
        self.wait_for(MESSAGE='to=<bob@origin.example>.*status=sent')
        self.wait_for(MESSAGE='to=<root@origin.example>.*status=(sent|bounced|deferred)')
        self.wait_for(MESSAGE='to=<alice@origin.example>.*status=sent')
        # the notice for nobody-at-all is for alice, but is not copied to her
        self.wait_for(n=2, MESSAGE='to=<alice@origin.example>.*status=sent')
        self.world.wait_until_idle()
        self.assertEqual(len(self.world.journal(MESSAGE='to=<alice@origin.example>')), 2)

    def test_a_table_of_copies_that_does_not_answer_makes_the_mail_wait(self):
        self.start('sender_bcc_maps = texthash:/nonexistent/table')
        self.send('bob')
        self.wait_for(MESSAGE='sender_bcc_maps map lookup problem for alice@origin.example: '
                              'texthash:/nonexistent/table: ')
        self.assertEqual(glob.glob(f'{SPOOL}/incoming/*'), [])


class Resolving(RewriteTest):
    def test_a_list_of_domains_that_would_block_defers(self):
        self.start('virtual_alias_domains = unix:passwd.byname')
        self.send(['bob', 'x@far.example'])
        self.wait_for(MESSAGE='to=<bob@origin.example>.*status=sent')
        self.wait_for(MESSAGE='to=<x@far.example>.*dsn=4.3.0, status=deferred .address resolver '
                              'failure: unix:passwd.byname: ')


if __name__ == '__main__':
    unittest.main()
