"""tools/dev/quickstart --here, on a machine that has never seen unitpost."""

import case
import machine
import tree

QUICKSTART = '/src/tools/dev/quickstart --here'


class Here(case.Case):
    @classmethod
    def setUpClass(cls):
        cls.machine = machine.Machine(case.SUITE, install=False,
                                      options=[f'--bind-ro={tree.CHECKOUT}:/src'])

    def files(self):
        return self.machine.run('find / -regex "/proc\\|/sys\\|/src" -prune -o '
                                '-name "*unitpost*" -print; '
                                'ls /usr/sbin/sendmail /usr/lib/sendmail /usr/bin/mailq '
                                '2> /dev/null; :')

    def test_another_mta_is_left_alone(self):
        self.machine.run('touch /usr/sbin/sendmail')
        before = self.files()
        status, text = self.machine.status_of(QUICKSTART)
        self.figure(text.splitlines()[0])
        self.assertEqual(status, 1)
        self.assertIn('/usr/sbin/sendmail belongs to another mail system', text)
        self.assertIn('Nothing was changed', text)
        self.assertEqual(self.files(), before)
        self.machine.run('rm /usr/sbin/sendmail')

    def test_install_and_remove(self):
        before = self.files()
        status, text = self.machine.status_of(QUICKSTART + ' --remove')
        self.assertEqual(status, 1)
        self.assertIn('Nothing was changed', text)
        out = self.machine.run(QUICKSTART, timeout=400)
        self.assertIn('--- The mail arrived', out)
        self.assertIn('status=sent', out)
        self.assertIn('Subject: hello from unitpost', out)
        self.assertIn('Now no process of unitpost runs.', out)
        # A second time: what is there is its own.
        self.assertIn('--- The mail arrived', self.machine.run(QUICKSTART, timeout=400))
        self.machine.run(QUICKSTART + ' --remove')
        left = set(self.files().split()) - set(before.split())
        self.figure('left: ' + ' '.join(sorted(left)))
        for path in left:
            self.assertRegex(path, '^/var/spool/unitpost|^/var/lib/systemd/|^/tmp/')
        self.assertTrue(self.machine.path('/var/spool/unitpost/maildrop').is_dir())
        self.assertEqual(self.machine.units(), {})
        self.assertEqual(self.machine.failed_units(), [])


if __name__ == '__main__':
    case.main()
