"""The journal tells the life of a message: found by its queue ID, in the forms that log readers
know, each entry with its explanation."""

import re

import case
import machine
import tree

ID = r'[0-9A-F]+'
ADDRESS = r'<[^<>]*>'
DELAY = r'\d+(?:\.\d+)?'

# reference: what pflogsumm, the Prometheus exporter, logwatch and logcheck look for
FORMS = {
    'pickup': rf'^{ID}: uid=\d+ from={ADDRESS}$',
    'cleanup': rf'^{ID}: message-id=<[^<>]+>$',
    'qmgr': rf'^{ID}: (?:from={ADDRESS}, size=\d+, nrcpt=\d+ \(queue active\)|removed)$',
    'local': rf'^{ID}: to={ADDRESS}, (?:orig_to={ADDRESS}, )?relay=local, delay={DELAY}, '
             rf'delays={DELAY}/{DELAY}/{DELAY}/{DELAY}, dsn=[245]\.\d+\.\d+, '
             r'status=(?:sent|deferred|bounced) \(.+\)$',
    'error': rf'^{ID}: to={ADDRESS}, (?:orig_to={ADDRESS}, )?relay=none, delay={DELAY}, '
             rf'delays={DELAY}/{DELAY}/{DELAY}/{DELAY}, dsn=[45]\.\d+\.\d+, '
             r'status=(?:deferred|bounced) \(.+\)$',
    'bounce': rf'^{ID}: sender non-delivery notification: {ID}$',
}


class Journal(case.Case):
    config = 'max_idle = 5s\n'

    def story_of(self, marker, n_entries):
        """Entries of the message whose text has MARKER, once there are N_ENTRIES."""
        def find():
            for mail in self.machine.mailbox('bob') + self.machine.mailbox('alice'):
                if marker in mail.as_string():
                    return re.search(rf'\bid ({ID});', mail.as_string()).group(1)
            return None

        queue_id = machine.wait_for(find, 30, marker)

        def story():
            entries = self.machine.journal(f'UNITPOST_QUEUE_ID={queue_id}')
            return entries if len(entries) >= n_entries else None

        return queue_id, machine.wait_for(story, 10, f'{n_entries} entries of {queue_id}')

    def check_forms(self, entries):
        for entry in entries:
            role = entry['SYSLOG_IDENTIFIER'].removeprefix('unitpost/')
            self.assertEqual(entry['SYSLOG_FACILITY'], '2')
            if role in FORMS:
                self.assertRegex(entry['MESSAGE'], FORMS[role])

    def test_one_life_of_a_delivered_message(self):
        self.machine.send('alice', 'bob', 'marker-delivered')
        queue_id, entries = self.story_of('marker-delivered', 6)
        roles = [entry['SYSLOG_IDENTIFIER'] for entry in entries]
        self.assertEqual(sorted(roles), ['unitpost/' + name for name in (
            'cleanup', 'local', 'pickup', 'postdrop', 'qmgr', 'qmgr')])
        self.check_forms(entries)
        for entry in entries:
            self.assertTrue(entry['MESSAGE'].startswith(queue_id + ': '))
        self.assertTrue(entries[-1]['MESSAGE'].endswith(': removed'))
        self.figure(f'{len(entries)} entries, '
                    f'{sum(len(str(entry)) for entry in entries)} bytes as JSON')

    def test_the_final_line_has_its_fields(self):
        self.machine.send('alice', 'bob', 'marker-fields')
        _, entries = self.story_of('marker-fields', 6)
        final = [entry for entry in entries if 'status=sent' in entry['MESSAGE']][0]
        self.assertEqual(final['UNITPOST_STATUS'], 'sent')
        self.assertEqual(final['UNITPOST_ROLE'], 'local')
        self.assertEqual(final['UNITPOST_DSN'], '2.0.0')
        self.assertTrue(final['UNITPOST_SENDER'].startswith('alice@'))
        self.assertTrue(final['UNITPOST_RECIPIENT'].startswith('bob@'))
        self.assertTrue(final['UNITPOST_DELAY_USEC'].isdigit())

    def test_a_returned_message_names_its_notice(self):
        self.machine.send('alice', 'nobody-here', 'marker-returned')
        notice_id, entries = self.story_of('marker-returned', 4)
        self.check_forms(entries)
        named = self.machine.journal('SYSLOG_IDENTIFIER=unitpost/bounce')
        self.assertTrue([entry for entry in named if notice_id in entry['MESSAGE']])
        self.check_forms(named)

    def test_mail_for_elsewhere_is_refused_by_error(self):
        self.machine.send('alice', 'someone@elsewhere.example', 'marker-elsewhere')
        self.story_of('marker-elsewhere', 4)
        lines = self.machine.journal('SYSLOG_IDENTIFIER=unitpost/error')
        self.assertTrue(lines)
        self.check_forms(lines)

    def test_each_entry_is_explained(self):
        self.machine.send('alice', 'bob', 'marker-explained')
        queue_id, entries = self.story_of('marker-explained', 6)
        text = self.machine.run(['journalctl', '-x', '--no-pager', f'UNITPOST_QUEUE_ID={queue_id}'])
        self.assertEqual(text.count('Defined-By: unitpost'), len(entries))
        self.assertNotIn('@UNITPOST_', text)
        for line in text.splitlines():
            self.assertNotRegex(line, r'@[A-Z_]+@')

    def test_every_message_id_that_was_logged_is_in_the_catalog(self):
        known = (tree.CHECKOUT / 'units/unitpost.catalog').read_text()
        for entry in self.machine.journal('SYSLOG_FACILITY=2'):
            if 'MESSAGE_ID' in entry:
                self.assertIn(f'-- {entry["MESSAGE_ID"]}\n', known, entry['MESSAGE'])

    def test_syslog_name_makes_existing_tools_work(self):
        self.machine.write('/etc/unitpost/main.cf', 'max_idle = 5s\nsyslog_name = postfix\n')
        self.machine.run("systemctl reload 'unitpost-*.service'", check=False)
        try:
            self.machine.send('alice', 'bob', 'marker-postfix')
            _, entries = self.story_of('marker-postfix', 6)
            names = {entry['SYSLOG_IDENTIFIER'] for entry in entries}
            self.assertLessEqual({'postfix/qmgr', 'postfix/local', 'postfix/cleanup'}, names)
        finally:
            self.machine.write('/etc/unitpost/main.cf', 'max_idle = 5s\n')
            self.machine.run("systemctl reload 'unitpost-*.service'", check=False)


if __name__ == '__main__':
    case.main()
